import {
  ChevronDown,
  FileText,
  Forward,
  Image as ImageMark,
  ImageOff,
  Reply,
  ReplyAll,
  Star,
} from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import type { ConnectedAccount } from '@/shared/api/accounts';
import { attachmentAddress, viewAddress, type Label, type Message, type Person } from '@/shared/api/messages';
import { useDialogs } from '@/shared/dialogs';
import { t } from '@/shared/i18n/i18n';
import { inChord, isTyping } from '@/shared/lib/keyboard';
import { bytes, fullTime } from '@/shared/lib/time';
import { cn } from '@/shared/lib/cn';
import { setImageSender, useImageSenders } from '@/shared/image-senders';
import { usePreferences } from '@/shared/preferences';
import { Button } from '@/shared/ui/button';
import { Notice } from '@/shared/ui/notice';
import { Conversation } from './conversation';
import { LinkedText } from '@/shared/ui/linked-text';
import { Avatar, PersonText, nameOf } from './people';

interface MessageViewProps {
  message: Message;
  accounts: ConnectedAccount[] | undefined;
  labels: Label[] | undefined;
  onOpen: (id: string) => void;
}

export function MessageView({ message, accounts, labels, onOpen }: MessageViewProps) {
  const [loaded, setLoaded] = useState(false);
  const sender = message.from?.address ?? '';
  const trusted = useImageSenders((state) => state.senders.includes(sender.toLowerCase()));
  const images = loaded || trusted;
  const files = message.attachments.filter((attachment) => !attachment.inline);
  return (
    <article className="flex min-h-0 flex-1 flex-col">
      <header className="shrink-0 border-b border-line px-4 pt-4 pb-3 md:px-6 md:pt-5">
        <div className="flex items-start gap-2">
          <h2 className="min-w-0 flex-1 text-lg font-semibold break-words max-md:line-clamp-3">
            <bdi>{message.subject || t('inbox.noSubject')}</bdi>
          </h2>
          {message.is_starred && (
            <Star
              role="img"
              aria-label={t('inbox.starred')}
              className="mt-1 size-4.5 shrink-0 fill-current text-warn"
            />
          )}
        </div>
        <LabelChips message={message} labels={labels} />
        <Sender message={message} accounts={accounts} />
        <Answers message={message} />
        <Conversation message={message} onOpen={onOpen} />
        {files.length > 0 && (
          <section aria-label={t('message.attachments', { count: files.length })} className="mt-3">
            <ul className="thin-scroll flex max-h-28 flex-wrap gap-2 overflow-y-auto">
              {files.map((file) => {
                const name = file.name || t('message.unnamed');
                return (
                  <li key={file.id} className="min-w-0">
                    <a
                      href={attachmentAddress(message.id, file.id)}
                      download
                      aria-label={t('message.download', { name, size: bytes(file.size) })}
                      className="flex min-h-9 max-w-64 items-center gap-2 rounded-lg border border-line bg-raised px-2.5 py-1 text-sm hover:border-line-strong hover:bg-hover pointer-coarse:min-h-11"
                    >
                      <FileText aria-hidden className="size-4 shrink-0 text-muted" />
                      <bdi className="min-w-0 truncate">{name}</bdi>
                      <span className="tabular shrink-0 text-muted">{bytes(file.size)}</span>
                    </a>
                  </li>
                );
              })}
            </ul>
          </section>
        )}
      </header>
      {message.has_html && message.remote_images > 0 && (!images || trusted) && (
        <div className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-1.5 border-b border-line bg-sunken px-4 py-2 text-sm md:px-6">
          {trusted ? (
            <ImageMark aria-hidden className="size-4 shrink-0 text-muted" />
          ) : (
            <ImageOff aria-hidden className="size-4 shrink-0 text-muted" />
          )}
          <p role="status" className="min-w-0 flex-1 basis-56 break-words">
            {trusted
              ? t('message.imagesTrusted', { sender })
              : t('message.imagesBlocked', { count: message.remote_images })}
          </p>
          {trusted ? (
            <Button size="small" look="quiet" onClick={() => setImageSender(sender, false)}>
              {t('message.askForImages')}
            </Button>
          ) : (
            <>
              <Button size="small" onClick={() => setLoaded(true)}>
                {t('message.loadImages')}
              </Button>
              {sender && (
                <Button size="small" look="quiet" onClick={() => setImageSender(sender, true)}>
                  {t('message.alwaysLoadImages')}
                </Button>
              )}
            </>
          )}
        </div>
      )}
      {message.truncated && (
        <Notice tone="info" className="mx-4 mt-3 shrink-0 md:mx-6">
          {t('message.truncated')}
        </Notice>
      )}
      {message.has_html ? (
        // The body stays on a light surface in both themes: mail is written for paper.
        <iframe
          title={t('message.bodyFrame')}
          src={viewAddress(message.id, images)}
          sandbox="allow-popups allow-popups-to-escape-sandbox"
          referrerPolicy="no-referrer"
          className="min-h-0 w-full flex-1 bg-white [color-scheme:light]"
        />
      ) : (
        // A long text scrolls inside its own region, which the keyboard can reach.
        <div
          role="region"
          aria-label={t('message.bodyFrame')}
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
          className="thin-scroll min-h-0 flex-1 overflow-y-auto px-4 py-4 -outline-offset-2 md:px-6"
        >
          {message.text ? (
            <div
              dir="auto"
              className="max-w-[80ch] text-[0.9375rem] leading-relaxed break-words whitespace-pre-wrap"
            >
              <LinkedText text={message.text} />
            </div>
          ) : (
            <p className="text-muted italic">{t('message.noBody')}</p>
          )}
        </div>
      )}
    </article>
  );
}

/** Reply, reply to all and forward, by button and by key. */
function Answers({ message }: { message: Message }) {
  const openCompose = useDialogs((state) => state.openCompose);
  const shortcuts = usePreferences((state) => state.shortcuts);

  useEffect(() => {
    if (!shortcuts) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isTyping(event.target) || inChord(event.timeStamp)) return;
      if (event.key === 'r') openCompose({ kind: 'reply', message, all: false });
      else if (event.key === 'a') openCompose({ kind: 'reply', message, all: true });
      else if (event.key === 'f') openCompose({ kind: 'forward', message });
      else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [shortcuts, message, openCompose]);

  return (
    <div className="mt-3 flex flex-wrap gap-2">
      <Button size="small" onClick={() => openCompose({ kind: 'reply', message, all: false })}>
        <Reply aria-hidden className="size-4" />
        {t('message.reply')}
      </Button>
      {message.to.length + message.cc.length > 1 && (
        <Button size="small" onClick={() => openCompose({ kind: 'reply', message, all: true })}>
          <ReplyAll aria-hidden className="size-4" />
          {t('message.replyAll')}
        </Button>
      )}
      <Button size="small" onClick={() => openCompose({ kind: 'forward', message })}>
        <Forward aria-hidden className="size-4" />
        {t('message.forward')}
      </Button>
    </div>
  );
}

function LabelChips({ message, labels }: { message: Message; labels: Label[] | undefined }) {
  const own = (labels ?? []).filter(
    (label) =>
      label.account_id === message.account_id && label.kind !== 'system' && message.labels.includes(label.id),
  );
  if (own.length === 0) return null;
  return (
    <ul aria-label={t('message.labels')} className="mt-1.5 flex flex-wrap gap-1.5">
      {own.map((label) => (
        <li key={label.id} className="rounded-full bg-accent-soft px-2 py-0.5 text-xs text-accent-soft-ink">
          <bdi>{label.name}</bdi>
        </li>
      ))}
    </ul>
  );
}

function Sender({ message, accounts }: { message: Message; accounts: ConnectedAccount[] | undefined }) {
  const [details, setDetails] = useState(false);
  const to = [...message.to, ...message.cc];
  const named = to.slice(0, 2).map(nameOf).join(', ');
  const rest = to.length - 2;
  const account = accounts?.find((candidate) => candidate.id === message.account_id);
  return (
    <>
      <div className="mt-3 flex items-start gap-3">
        <Avatar person={message.from} />
        <div className="min-w-0 flex-1">
          <p className="flex flex-wrap items-baseline gap-x-2">
            <span className="min-w-0 font-medium break-words">
              {message.from ? <bdi>{nameOf(message.from)}</bdi> : t('inbox.noSender')}
            </span>
            {message.from?.name && (
              <bdi className="min-w-0 text-sm break-all text-muted max-md:hidden">{message.from.address}</bdi>
            )}
          </p>
          <button
            type="button"
            aria-expanded={details}
            aria-label={t(details ? 'message.hideDetails' : 'message.showDetails')}
            onClick={() => setDetails(!details)}
            className="-mx-1 flex max-w-full items-center gap-1 rounded px-1 text-start text-sm text-muted hover:bg-hover hover:text-ink pointer-coarse:min-h-11"
          >
            <span className="min-w-0 truncate">
              {t('message.to', { people: named || t('message.nobody') })}
              {rest > 0 && ` ${t('message.others', { count: rest })}`}
            </span>
            <ChevronDown
              aria-hidden
              className={cn('size-3.5 shrink-0 transition-transform', details && 'rotate-180')}
            />
          </button>
        </div>
        <time
          dateTime={message.received_at}
          className="tabular shrink-0 pt-0.5 text-sm text-muted max-md:text-xs"
        >
          {fullTime(message.received_at)}
        </time>
      </div>
      {details && (
        <dl className="mt-2 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 rounded-xl bg-sunken px-3.5 py-2.5 text-sm">
          {message.from && (
            <Detail name={t('message.from')}>
              <PersonText person={message.from} />
            </Detail>
          )}
          <People name={t('message.toLabel')} people={message.to} />
          <People name={t('message.cc')} people={message.cc} />
          <People name={t('message.bcc')} people={message.bcc} />
          <People name={t('message.replyTo')} people={message.reply_to} />
          <Detail name={t('message.date')}>{fullTime(message.received_at)}</Detail>
          {account && (
            <Detail name={t('message.account')}>
              <bdi>{account.email}</bdi>
            </Detail>
          )}
        </dl>
      )}
    </>
  );
}

function People({ name, people }: { name: string; people: Person[] }) {
  if (people.length === 0) return null;
  return (
    <Detail name={name}>
      <ul className="thin-scroll max-h-32 overflow-y-auto">
        {people.map((person, index) => (
          <li key={index}>
            <PersonText person={person} />
          </li>
        ))}
      </ul>
    </Detail>
  );
}

function Detail({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0 break-all">{children}</dd>
    </>
  );
}
