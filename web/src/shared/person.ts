import { forgetDrafts, openDrafts } from './drafts';
import { forgetImageSenders, openImageSenders } from './image-senders';

/** Reads what this browser keeps for the person who is signed in. */
export function openPerson(user: string): void {
  openDrafts(user);
  openImageSenders(user);
}

/** At sign-out nothing of a person stays in this browser. */
export function forgetPerson(): void {
  forgetDrafts();
  forgetImageSenders();
}
