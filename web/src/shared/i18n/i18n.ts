import { setupI18n, type Messages } from '@lingui/core';
import type source from './en.json';
import entry from './en.json?catalog=entry';

export type MessageKey = keyof typeof source;
export type MessageValues = Record<string, string | number>;

const i18n = setupI18n();
i18n.load('en', entry);
i18n.activate('en', [...navigator.languages]);

/** Adds the messages of a part of the app; called by the part itself before it shows anything. */
export function addMessages(messages: Messages): void {
  i18n.load('en', messages);
}

/** Where numbers and dates take their shape from: the person's languages, whatever language the words are in. */
export function locale(): readonly string[] {
  return navigator.languages;
}

/** The words of `key` with ICU plurals resolved. The server sends codes and values, never sentences. */
export function t(key: MessageKey, values?: MessageValues): string {
  return i18n._(key, values);
}

/** Whether the catalog has words for a key that was put together from a code. */
export function hasMessage(key: string): key is MessageKey {
  return key in i18n.messages;
}
