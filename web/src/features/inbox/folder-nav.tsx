import {
  Archive,
  Inbox,
  Mails,
  MailSearch,
  Send,
  ShieldAlert,
  Star,
  StickyNote,
  Tag,
  Trash2,
  type LucideIcon,
} from 'lucide-react';
import type { ConnectedAccount } from '@/shared/api/accounts';
import type { Label } from '@/shared/api/messages';
import { statusLabel, statusLooks, toneText } from '@/shared/account-status';
import { t } from '@/shared/i18n/i18n';
import { accountName } from '@/shared/lib/account-name';
import { cn } from '@/shared/lib/cn';
import { number } from '@/shared/lib/time';
import { everything, folderOf, roles, sumByRole, type Place } from './place';

const icons: Record<(typeof roles)[number], LucideIcon> = {
  inbox: Inbox,
  starred: Star,
  sent: Send,
  drafts: StickyNote,
  archive: Archive,
  [everything]: MailSearch,
  spam: ShieldAlert,
  trash: Trash2,
};

interface FolderNavProps {
  place: Place;
  accounts: ConnectedAccount[] | undefined;
  labels: Label[] | undefined;
  onGo: (place: Place) => void;
}

/** Which accounts, and which folder or label of them. */
export function FolderNav({ place, accounts, labels, onGo }: FolderNavProps) {
  const folder = place.q && !place.folder ? undefined : (folderOf(place) ?? everything);
  const own = (labels ?? []).filter(
    (label) =>
      label.kind !== 'system' && label.visible && (!place.account || label.account_id === place.account),
  );
  // Only some providers have an archive of its own.
  const shownRoles = roles.filter(
    (role) => role !== 'archive' || labels?.some((label) => label.role === 'archive'),
  );
  return (
    <nav aria-label={t('inbox.mailboxes')} className="flex flex-col gap-5">
      {accounts && accounts.length > 1 && (
        <ul className="flex flex-col gap-0.5">
          <li>
            <Row
              icon={<Mails aria-hidden className="size-4" />}
              name={t('inbox.allAccounts')}
              current={!place.account}
              unread={sumByRole(labels, 'inbox').unread}
              onClick={() => onGo({ folder: keepRole(place.folder) })}
            />
          </li>
          {accounts.map((account) => (
            <li key={account.id}>
              <AccountRow
                account={account}
                name={accountName(account, accounts)}
                current={place.account === account.id}
                unread={sumByRole(labels, 'inbox', account.id).unread}
                onClick={() => onGo({ account: account.id, folder: keepRole(place.folder) })}
              />
            </li>
          ))}
        </ul>
      )}
      <div>
        <Heading>{t('inbox.folders')}</Heading>
        <ul className="flex flex-col gap-0.5">
          {shownRoles.map((role) => {
            const Icon = icons[role];
            const { unread, total } = sumByRole(labels, role, place.account);
            return (
              <li key={role}>
                <Row
                  icon={<Icon aria-hidden className="size-4" />}
                  name={t(`folder.${role}`)}
                  current={folder === role}
                  unread={role === 'drafts' ? total : role === 'inbox' || role === 'spam' ? unread : 0}
                  onClick={() =>
                    onGo({ account: place.account, folder: role === 'inbox' ? undefined : role })
                  }
                />
              </li>
            );
          })}
        </ul>
      </div>
      {own.length > 0 && (
        <div>
          <Heading>{t('inbox.labels')}</Heading>
          <ul className="flex flex-col gap-0.5">
            {own.map((label) => (
              <li key={`${label.account_id} ${label.id}`}>
                <Row
                  icon={<Tag aria-hidden className="size-4" />}
                  name={label.name}
                  current={folder === label.id}
                  unread={label.unread}
                  onClick={() => onGo({ account: label.account_id, folder: label.id })}
                />
              </li>
            ))}
          </ul>
        </div>
      )}
    </nav>
  );
}

/** A role means the same in another account, a label does not. */
function keepRole(folder: string | undefined): string | undefined {
  return roles.some((role) => role === folder) ? folder : undefined;
}

function Heading({ children }: { children: string }) {
  return <h2 className="px-2.5 pb-1 text-xs font-medium text-muted">{children}</h2>;
}

interface RowProps {
  icon: React.ReactNode;
  name: string;
  note?: string;
  current: boolean;
  unread: number;
  onClick: () => void;
}

function Row({ icon, name, note, current, unread, onClick }: RowProps) {
  return (
    <button
      type="button"
      aria-current={current ? 'true' : undefined}
      onClick={onClick}
      className={cn(
        'flex min-h-8 w-full items-center gap-2.5 rounded-lg px-2.5 py-1 text-start text-base pointer-coarse:min-h-11',
        current
          ? 'bg-accent-soft font-medium text-accent-soft-ink'
          : 'text-muted hover:bg-hover hover:text-ink',
      )}
    >
      {icon}
      <span className="min-w-0 flex-1 truncate">
        <bdi>{name}</bdi>
        {note && <span className="sr-only">, {note}</span>}
      </span>
      {unread > 0 && (
        <span className={cn('tabular text-xs', current ? 'text-accent-soft-ink' : 'text-muted')}>
          <span aria-hidden>{number(unread)}</span>
          <span className="sr-only">{t('inbox.unreadCount', { count: unread })}</span>
        </span>
      )}
    </button>
  );
}

function AccountRow({
  account,
  ...rest
}: {
  account: ConnectedAccount;
  name: string;
  current: boolean;
  unread: number;
  onClick: () => void;
}) {
  const { icon: Icon, tone } = statusLooks[account.status];
  return (
    <Row
      {...rest}
      note={statusLabel(account)}
      icon={
        <Icon
          aria-hidden
          className={cn('size-4 shrink-0', toneText[tone], account.status === 'syncing' && 'lk-spin')}
        />
      }
    />
  );
}
