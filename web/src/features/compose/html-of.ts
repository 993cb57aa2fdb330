const escapes: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => escapes[character] ?? character);
}

const link = /(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}])/;

function line(text: string): string {
  return text
    .split(link)
    .map((part, index) =>
      index % 2 === 1 ? `<a href="${escaped(part)}">${escaped(part)}</a>` : escaped(part),
    )
    .join('');
}

function block(lines: string[]): string {
  let out = '';
  let plain: string[] = [];
  let quote: string[] = [];
  const flush = () => {
    if (plain.length > 0) out += `<div>${plain.map((one) => line(one)).join('<br>\n')}</div>\n`;
    if (quote.length > 0) out += `<blockquote>\n${block(quote)}</blockquote>\n`;
    plain = [];
    quote = [];
  };
  for (const one of lines) {
    if (one.startsWith('>')) {
      if (plain.length > 0) flush();
      quote.push(one.replace(/^> ?/, ''));
    } else {
      if (quote.length > 0) flush();
      plain.push(one);
    }
  }
  flush();
  return out;
}

// Deeper quotes than these stay as they are typed.
const deepest = 20;

/** The same words as HTML: quotes as quotes, web addresses as links, nothing else as markup. */
export function htmlOf(text: string): string {
  const lines = text
    .split('\n')
    .map((one) =>
      one.replace(
        /^(?:> ?)+/,
        (marks) => '>'.repeat(Math.min(deepest, marks.replaceAll(' ', '').length)) + ' ',
      ),
    );
  return `<div dir="auto">\n${block(lines)}</div>\n`;
}
