import type { Recipient } from '@/shared/api/outbox';

// Not the whole of RFC 5322: what mail in the world looks like. The provider has the last word.
const address = /^[^\s@<>()[\],;:"\\]+@[^\s@<>()[\],;:"\\.]+(?:\.[^\s@<>()[\],;:"\\.]+)+$/u;

export function isAddress(text: string): boolean {
  return text.length <= 320 && address.test(text);
}

/** Splits at commas, semicolons and line ends that stand outside of quotes and angle brackets. */
function split(list: string): string[] {
  const parts: string[] = [];
  let current = '';
  let quoted = false;
  let bracketed = false;
  for (const character of list) {
    if (character === '"') quoted = !quoted;
    else if (character === '<' && !quoted) bracketed = true;
    else if (character === '>' && !quoted) bracketed = false;
    if (character === '\n' || (!quoted && !bracketed && (character === ',' || character === ';'))) {
      parts.push(current);
      current = '';
      quoted = bracketed = false;
    } else {
      current += character;
    }
  }
  parts.push(current);
  return parts.map((part) => part.trim()).filter(Boolean);
}

/** One recipient as somebody typed or pasted it; what is no address stays as it is, to be corrected. */
function parseOne(text: string): Recipient {
  const named = /^(.*?)\s*<([^<>]*)>$/su.exec(text);
  if (!named) return { address: text.replace(/^mailto:/i, '') };
  const name = (named[1] ?? '')
    .trim()
    .replace(/^"(.*)"$/su, '$1')
    .replaceAll('\\"', '"')
    .trim();
  const found = (named[2] ?? '').trim();
  return name ? { name: name.slice(0, 200), address: found } : { address: found };
}

/** Recipients of a typed or pasted list such as `Ada <ada@example.com>, grace@example.org`. */
export function parseRecipients(list: string): Recipient[] {
  return split(list).map(parseOne);
}

/** How a recipient is typed, so that it can be corrected. */
export function recipientText({ name, address: where }: Recipient): string {
  if (!name) return where;
  return /[,;<>"@]/.test(name) ? `"${name.replaceAll('"', '\\"')}" <${where}>` : `${name} <${where}>`;
}

/** Adds recipients without repeating an address. */
export function addRecipients(present: Recipient[], more: Recipient[]): Recipient[] {
  const seen = new Set(present.map((one) => one.address.toLowerCase()));
  return [
    ...present,
    ...more.filter((one) => {
      const key = one.address.toLowerCase();
      return !seen.has(key) && seen.add(key);
    }),
  ];
}
