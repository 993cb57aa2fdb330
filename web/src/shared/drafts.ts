import { create } from 'zustand';
import type { Recipient } from './api/outbox';

/** A file of a draft that the server keeps already. */
export interface DraftFile {
  id: string;
  name: string;
  size: number;
  /** Until when, in milliseconds since 1970. */
  expires: number;
}

/** A message that is being written. It lives in this browser until it is sent or discarded. */
export interface Draft {
  id: string;
  /** One for every message a person wants to send; a new one only when the former was certainly not sent. */
  key: string;
  account: string | null;
  /** The sender's address; null for the account's own. */
  from: string | null;
  to: Recipient[];
  cc: Recipient[];
  bcc: Recipient[];
  subject: string;
  text: string;
  files: DraftFile[];
  replyTo: string | null;
  forwardOf: string | null;
  /** The entry of the outbox that this draft became. */
  outbox: string | null;
  savedAt: number;
}

interface Drafts {
  drafts: Draft[];
  /** False when this browser would not keep the last change. */
  kept: boolean;
}

const prefix = 'latchkey.drafts.';
const openKey = 'latchkey.compose';
const most = 50;

let owner: string | null = null;

export const useDrafts = create<Drafts>()(() => ({ drafts: [], kept: true }));

function keysOfDrafts(): string[] {
  return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
}

/** Reads the drafts of the person who is signed in, and forgets those of anybody who was here before. */
export function openDrafts(user: string): void {
  if (owner === user) return;
  owner = user;
  let drafts: Draft[] = [];
  try {
    for (const key of keysOfDrafts()) if (key !== prefix + user) localStorage.removeItem(key);
    drafts = JSON.parse(localStorage.getItem(prefix + user) ?? '[]') as Draft[];
  } catch {
    // Storage is blocked or damaged: start with none.
  }
  useDrafts.setState({ drafts: Array.isArray(drafts) ? drafts : [], kept: true });
}

/** At sign-out nothing that was written stays in this browser. */
export function forgetDrafts(): void {
  owner = null;
  useDrafts.setState({ drafts: [], kept: true });
  try {
    keysOfDrafts().forEach((key) => localStorage.removeItem(key));
    sessionStorage.removeItem(openKey);
  } catch {
    // Blocked storage holds nothing.
  }
}

function store(drafts: Draft[]): void {
  let kept = true;
  try {
    if (owner) localStorage.setItem(prefix + owner, JSON.stringify(drafts));
  } catch {
    kept = false;
  }
  useDrafts.setState({ drafts, kept });
}

export function saveDraft(draft: Draft): void {
  const others = useDrafts.getState().drafts.filter((other) => other.id !== draft.id);
  store([{ ...draft, savedAt: Date.now() }, ...others].slice(0, most));
}

export function changeDraft(id: string, change: Partial<Draft>): void {
  const draft = useDrafts.getState().drafts.find((one) => one.id === id);
  if (draft) saveDraft({ ...draft, ...change });
}

export function removeDraft(id: string): void {
  store(useDrafts.getState().drafts.filter((draft) => draft.id !== id));
}

/** Which draft is open in this tab, so that a reload opens it again. */
export function rememberOpenDraft(id: string | null): void {
  try {
    if (id) sessionStorage.setItem(openKey, id);
    else sessionStorage.removeItem(openKey);
  } catch {
    // Then it can be opened from the list.
  }
}

export function openDraftBefore(): string | null {
  try {
    const id = sessionStorage.getItem(openKey);
    return useDrafts.getState().drafts.some((draft) => draft.id === id) ? id : null;
  } catch {
    return null;
  }
}
