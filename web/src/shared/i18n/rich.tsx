import { Fragment, type ReactNode } from 'react';
import { t, type MessageKey } from './i18n';

// Characters of the private use area mark where a node goes; no message and no value holds them.
const open = '\uE000';
const close = '\uE001';

/** Words with nodes in them, for example an address in its own <bdi>. */
export function Rich({ k, values }: { k: MessageKey; values: Record<string, ReactNode> }) {
  const nodes: ReactNode[] = [];
  const flat: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'number') {
      flat[name] = value;
    } else {
      flat[name] = `${open}${nodes.length}${close}`;
      nodes.push(value);
    }
  }
  return t(k, flat)
    .split(new RegExp(`${open}(\\d+)${close}`))
    .map((part, index) => <Fragment key={index}>{index % 2 === 1 ? nodes[Number(part)] : part}</Fragment>);
}

/** Text from outside, kept from turning the direction of the text around it. */
export function Bdi({ children }: { children: string }) {
  return <bdi>{children}</bdi>;
}
