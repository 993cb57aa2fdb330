import { compileMessage } from '@lingui/message-utils/compileMessage';
import type { Plugin } from 'vite';

// Which messages travel with which part of the app, by the first word of their key: what somebody needs before they are signed
// in, and what belongs to a part that is loaded when it is first used. Every other message is `main`.
const parts: Record<string, string[]> = {
  entry: ['app', 'common', 'provider', 'login', 'errorPage', 'error'],
  compose: ['compose'],
  calendar: ['calendar'],
};

function partOf(key: string): string {
  const word = key.split('.', 1)[0] ?? '';
  return Object.keys(parts).find((part) => parts[part]?.includes(word)) ?? 'main';
}

/**
 * Compiles the ICU messages of a catalog while building, so that no message parser is shipped to the browser.
 * `import messages from './en.json?catalog=entry'` gives the messages of one part as `i18n.load` takes them.
 */
export function messageCatalog(): Plugin {
  return {
    name: 'latchkey-message-catalog',
    enforce: 'pre',
    transform(code, id) {
      const part = /\.json\?catalog=(\w+)$/.exec(id)?.[1];
      if (!part) return null;
      const source = JSON.parse(code) as Record<string, string>;
      const compiled = Object.fromEntries(
        Object.entries(source)
          .filter(([key]) => partOf(key) === part)
          .map(([key, text]) => [key, compileMessage(text)]),
      );
      return { code: `export default ${JSON.stringify(compiled)};`, map: null, moduleType: 'js' };
    },
  };
}
