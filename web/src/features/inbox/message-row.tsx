import { Paperclip, Star } from 'lucide-react';
import { memo } from 'react';
import type { MessageSummary } from '@/shared/api/messages';
import { t } from '@/shared/i18n/i18n';
import { cn } from '@/shared/lib/cn';
import { fullTime, shortTime } from '@/shared/lib/time';
import { nameOf } from './people';

interface MessageRowProps {
  id: string;
  message: MessageSummary;
  /** The name of the account it belongs to, where that is not plain. */
  account: string | undefined;
  now: number;
  index: number;
  size: number;
  height: number;
  top: number;
  open: boolean;
  active: boolean;
  onClick: () => void;
}

// Each text keeps its own direction, so that what is cut off is its end; all of them begin where the page begins.
const atStart = 'text-left [[dir=rtl]_&]:text-right';

export const MessageRow = memo(
  function MessageRow({
    id,
    message,
    account,
    now,
    index,
    size,
    height,
    top,
    open,
    active,
    onClick,
  }: MessageRowProps) {
    const sender = message.from ? nameOf(message.from) : t('inbox.noSender');
    const subject = message.subject || t('inbox.noSubject');
    const time = shortTime(message.received_at, now);
    const marks = [
      message.is_read ? null : t('inbox.unread'),
      sender,
      subject,
      time,
      message.has_attachments ? t('inbox.hasAttachments') : null,
      message.is_starred ? t('inbox.starred') : null,
    ];
    return (
      // The keyboard is served by the listbox around it.
      // eslint-disable-next-line jsx-a11y/click-events-have-key-events
      <div
        id={id}
        role="option"
        tabIndex={-1}
        aria-label={marks.filter(Boolean).join(', ')}
        aria-selected={open}
        aria-posinset={index + 1}
        aria-setsize={size}
        onClick={onClick}
        style={{ height, transform: `translateY(${top}px)` }}
        className={cn(
          'absolute inset-x-0 top-0 flex gap-2.5 border-b border-line ps-2 pe-4 pt-2.5 outline-none',
          open ? 'bg-accent-soft' : 'hover:bg-hover',
          active && 'group-focus-visible:shadow-[inset_0_0_0_2px_var(--accent)]',
        )}
      >
        <span
          aria-hidden
          className={cn(
            'mt-1.5 size-2 shrink-0 rounded-full',
            message.is_read ? 'bg-transparent' : 'bg-accent',
          )}
        />
        <span className="flex min-w-0 flex-1 flex-col">
          <span className="flex items-baseline gap-2">
            <bdi
              className={cn(
                'min-w-0 flex-1 truncate',
                atStart,
                message.is_read ? 'text-ink' : 'font-semibold',
              )}
            >
              {sender}
            </bdi>
            {message.has_attachments && (
              <Paperclip aria-hidden className="size-3.5 shrink-0 self-center text-muted" />
            )}
            {message.is_starred && (
              <Star aria-hidden className="size-3.5 shrink-0 self-center fill-current text-warn" />
            )}
            <time
              dateTime={message.received_at}
              title={fullTime(message.received_at)}
              className={cn(
                'tabular shrink-0 text-xs',
                message.is_read ? 'text-muted' : 'font-medium text-accent',
              )}
            >
              {time}
            </time>
          </span>
          <bdi className={cn('truncate text-sm', atStart, message.is_read ? 'text-ink' : 'font-semibold')}>
            {subject}
          </bdi>
          <span className="flex items-center gap-2 text-sm text-muted">
            <bdi className={cn('min-w-0 flex-1 truncate', atStart)}>{message.snippet}</bdi>
            {account && (
              <bdi className="max-w-32 shrink-0 truncate rounded-full border border-line px-1.5 text-2xs">
                {account}
              </bdi>
            )}
          </span>
        </span>
      </div>
    );
  },
  (before, after) =>
    before.message === after.message &&
    before.open === after.open &&
    before.active === after.active &&
    before.top === after.top &&
    before.size === after.size &&
    before.now === after.now &&
    before.account === after.account,
);
