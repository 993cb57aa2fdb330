import { compileMessage } from '@lingui/message-utils/compileMessage';
import type { Plugin } from 'vite';

/**
 * Compiles the ICU messages of a catalog while building, so that no message parser is shipped to the browser.
 * `import messages from './en.json?catalog'` gives what `i18n.load` takes.
 */
export function messageCatalog(): Plugin {
  return {
    name: 'latchkey-message-catalog',
    enforce: 'pre',
    transform(code, id) {
      if (!id.endsWith('.json?catalog')) return null;
      const source = JSON.parse(code) as Record<string, string>;
      const compiled = Object.fromEntries(
        Object.entries(source).map(([key, text]) => [key, compileMessage(text)]),
      );
      return { code: `export default ${JSON.stringify(compiled)};`, map: null, moduleType: 'js' };
    },
  };
}
