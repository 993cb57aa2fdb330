import { Fragment } from 'react';

// Addresses of the web and of mail, in plain text. Whatever is not certain stays text.
const link = /(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]|[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+)/;

/** Plain text with its web and mail addresses as links; nothing else becomes markup. */
export function LinkedText({ text }: { text: string }) {
  return text.split(link).map((part, index) =>
    index % 2 === 1 ? (
      <a
        key={index}
        href={part.includes('://') ? part : `mailto:${part}`}
        target="_blank"
        rel="noopener noreferrer"
        className="text-accent underline underline-offset-2"
      >
        {part}
      </a>
    ) : (
      <Fragment key={index}>{part}</Fragment>
    ),
  );
}
