import { create } from 'zustand';

const prefix = 'latchkey.images.';
const most = 500;

let owner: string | null = null;

/** Senders whose remote images are loaded without asking, as addresses in lower case. They live in this browser. */
export const useImageSenders = create<{ senders: readonly string[] }>()(() => ({ senders: [] }));

function keys(): string[] {
  return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
}

/** Reads the choices of the person who is signed in, and forgets those of anybody who was here before. */
export function openImageSenders(user: string): void {
  if (owner === user) return;
  owner = user;
  let senders: unknown = [];
  try {
    for (const key of keys()) if (key !== prefix + user) localStorage.removeItem(key);
    senders = JSON.parse(localStorage.getItem(prefix + user) ?? '[]');
  } catch {
    // Storage is blocked or damaged: start with none.
  }
  const known = Array.isArray(senders) ? senders.filter((one): one is string => typeof one === 'string') : [];
  useImageSenders.setState({ senders: known });
}

/** At sign-out nobody's correspondents stay in this browser. */
export function forgetImageSenders(): void {
  owner = null;
  useImageSenders.setState({ senders: [] });
  try {
    keys().forEach((key) => localStorage.removeItem(key));
  } catch {
    // Blocked storage holds nothing.
  }
}

/** From now on, load images of this sender, or ask again. */
export function setImageSender(address: string, trusted: boolean): void {
  const sender = address.toLowerCase();
  const others = useImageSenders.getState().senders.filter((one) => one !== sender);
  const senders = trusted ? [sender, ...others].slice(0, most) : others;
  useImageSenders.setState({ senders });
  try {
    if (owner) localStorage.setItem(prefix + owner, JSON.stringify(senders));
  } catch {
    // Then it counts until the page is left.
  }
}
