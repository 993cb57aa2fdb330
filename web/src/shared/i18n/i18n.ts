import { setupI18n } from '@lingui/core';
import type source from './en.json';
import english from './en.json?catalog';

export type MessageKey = keyof typeof source;
export type MessageValues = Record<string, string | number>;

const i18n = setupI18n();
i18n.load('en', english);
i18n.activate('en', [...navigator.languages]);

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
  return key in english;
}
