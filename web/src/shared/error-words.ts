import { hasMessage, t, type MessageValues } from './i18n/i18n';

export interface ErrorWords {
  title: string;
  body: string;
}

/**
 * Title and advice for a code. A code without words of its own falls back to the general ones: a newer server may know
 * more than this page.
 */
export function problemWords(
  code: string,
  params: Record<string, string | number | boolean | null> = {},
  provider?: string | null,
): ErrorWords {
  const values: MessageValues = {
    provider: providerName(provider ?? null),
    ref: '',
    seconds: 30,
    email: '',
    actual: '',
    expected: '',
    address: 'unknown',
  };
  for (const [name, value] of Object.entries(params))
    if (value !== null) values[name] = typeof value === 'boolean' ? String(value) : value;
  const title = `error.${code}.title`;
  const body = `error.${code}.body`;
  return hasMessage(title) && hasMessage(body)
    ? { title: t(title, values), body: t(body, values) }
    : { title: t('error.internal.title', values), body: t('error.internal.body', values) };
}

export function providerName(provider: string | null): string {
  if (provider === 'google') return t('provider.google');
  if (provider === 'microsoft') return t('provider.microsoft');
  return t('provider.unknown');
}
