import type { ConnectedAccount } from '@/shared/api/accounts';
import type { Message, Person } from '@/shared/api/messages';
import type { Recipient } from '@/shared/api/outbox';
import type { ComposeIntent } from '@/shared/dialogs';
import type { Draft } from '@/shared/drafts';
import { t } from '@/shared/i18n/i18n';
import { uniqueId } from '@/shared/lib/unique';
import { fullTime } from '@/shared/lib/time';
import { addRecipients } from './addresses';

// Long mails are quoted in part; the whole of them is in the conversation anyway.
const mostQuoted = 60_000;

export function emptyDraft(): Draft {
  return {
    id: uniqueId(),
    key: uniqueId(),
    account: null,
    from: null,
    to: [],
    cc: [],
    bcc: [],
    subject: '',
    text: '',
    files: [],
    replyTo: null,
    forwardOf: null,
    outbox: null,
    savedAt: 0,
  };
}

/** Whether there is nothing in it that somebody would miss. */
export function isEmpty(draft: Draft): boolean {
  return (
    draft.to.length + draft.cc.length + draft.bcc.length + draft.files.length === 0 &&
    draft.subject.trim() === '' &&
    draft.text.trim() === ''
  );
}

const asRecipient = ({ name, address }: Person): Recipient => (name ? { name, address } : { address });

/** The prefix once, whatever number of times a conversation went back and forth. */
function prefixed(prefix: 'Re' | 'Fwd', subject: string): string {
  const known = prefix === 'Re' ? /^\s*re\s*:/iu : /^\s*(fwd?|wg)\s*:/iu;
  return known.test(subject) ? subject.trim() : `${prefix}: ${subject}`.trim();
}

function bodyText(message: Message): string {
  return (message.text ?? message.snippet).replaceAll('\r\n', '\n').trimEnd().slice(0, mostQuoted);
}

function quoted(message: Message): string {
  const who = message.from?.name?.trim() || message.from?.address || t('compose.somebody');
  const lines = bodyText(message)
    .split('\n')
    .map((line) => (line.startsWith('>') ? `>${line}` : `> ${line}`.trimEnd()));
  return `\n\n${t('compose.wrote', { time: fullTime(message.received_at), who })}\n${lines.join('\n')}\n`;
}

function passedOn(message: Message): string {
  const people = (list: Person[]) =>
    list.map(({ name, address }) => (name ? `${name} <${address}>` : address)).join(', ');
  const head = [
    t('compose.forwarded'),
    `${t('message.from')}: ${message.from ? people([message.from]) : ''}`,
    `${t('message.date')}: ${fullTime(message.received_at)}`,
    `${t('compose.subject')}: ${message.subject}`,
    `${t('message.toLabel')}: ${people(message.to)}`,
    ...(message.cc.length > 0 ? [`${t('message.cc')}: ${people(message.cc)}`] : []),
  ];
  return `\n\n${head.join('\n')}\n\n${bodyText(message)}\n`;
}

/** Whom an answer goes to: who asked to be answered, and with `all` everybody else who got it, never ourselves. */
export function answerTo(message: Message, all: boolean, own: ReadonlySet<string>) {
  const isOwn = (one: Recipient) => own.has(one.address.toLowerCase());
  const others = (list: Person[]) => list.map(asRecipient).filter((one) => !isOwn(one));
  const fromUs = message.from !== null && isOwn(asRecipient(message.from));
  const authors = message.reply_to.length > 0 ? message.reply_to : message.from ? [message.from] : [];
  // An answer to what we sent ourselves goes on to those we wrote to.
  const to = addRecipients([], fromUs ? message.to.map(asRecipient) : authors.map(asRecipient));
  if (!all) return { to, cc: [] };
  const everyone = addRecipients(to, fromUs ? [] : others(message.to));
  return {
    to,
    cc: addRecipients(everyone, others(message.cc)).slice(to.length),
  };
}

/** The draft that an intent begins with. */
export function draftOf(
  intent: Exclude<ComposeIntent, { kind: 'draft' }>,
  accounts: readonly ConnectedAccount[],
): Draft {
  const draft = emptyDraft();
  if (intent.kind === 'new') return draft;
  const { message } = intent;
  const own = new Set(accounts.map((account) => account.email.toLowerCase()));
  const base = { ...draft, account: message.account_id };
  return intent.kind === 'reply'
    ? {
        ...base,
        ...answerTo(message, intent.all, own),
        subject: prefixed('Re', message.subject),
        text: quoted(message),
        replyTo: message.id,
      }
    : {
        ...base,
        subject: prefixed('Fwd', message.subject),
        text: passedOn(message),
        forwardOf: message.id,
      };
}
