import { useInfiniteQuery } from '@tanstack/react-query';
import { Inbox, PanelLeft, SearchX } from 'lucide-react';
import { useMemo } from 'react';
import type { ConnectedAccount } from '@/shared/api/accounts';
import { messagesQuery, type Label } from '@/shared/api/messages';
import { t } from '@/shared/i18n/i18n';
import { Button } from '@/shared/ui/button';
import { Empty } from '@/shared/ui/empty';
import { ProblemNotice } from '@/shared/ui/problem-notice';
import { AccountBanners } from './account-banners';
import { MessageList } from './message-list';
import { everything, folderName, folderOf, sumByRole, type Go, type Place } from './place';

interface MessageListPaneProps {
  place: Place;
  heading: string;
  accounts: ConnectedAccount[] | undefined;
  labels: Label[] | undefined;
  onGo: Go;
  onFolders: () => void;
}

/** The list of one place with everything that can be true of it: loading, importing, empty, failed, nothing found. */
export function MessageListPane({ place, heading, accounts, labels, onGo, onFolders }: MessageListPaneProps) {
  const folder = folderOf(place);
  const list = useInfiniteQuery(messagesQuery({ account: place.account, folder, q: place.q }));
  const messages = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const shown = accounts?.filter((account) => !place.account || account.id === place.account) ?? [];
  const importing = shown.some((account) => account.status === 'importing' || account.status === 'pending');
  const chosen = place.account ? shown[0] : undefined;

  return (
    <>
      <div className="flex min-h-12 items-center gap-2 border-b border-line px-4 py-2">
        <Button
          look="quiet"
          size="icon"
          className="-ms-2 lg:hidden"
          aria-label={t('inbox.showFolders')}
          onClick={onFolders}
        >
          <PanelLeft aria-hidden className="size-5" />
        </Button>
        <h2 className="min-w-0 flex-1 truncate text-base font-semibold">
          <bdi>{heading}</bdi>
          {chosen && accounts && accounts.length > 1 && (
            <bdi className="ms-2 font-normal text-muted">{chosen.display_name ?? chosen.email}</bdi>
          )}
        </h2>
        <UnreadCount place={place} labels={labels} />
      </div>
      <AccountBanners accounts={shown} />
      {list.isPending ? (
        <Skeleton />
      ) : list.isError && messages.length === 0 ? (
        <div className="p-4">
          <ProblemNotice
            error={list.error}
            actions={
              <Button size="small" busy={list.isFetching} onClick={() => void list.refetch()}>
                {t('common.retry')}
              </Button>
            }
          />
        </div>
      ) : messages.length === 0 ? (
        <Nothing place={place} labels={labels} importing={importing} onGo={onGo} />
      ) : (
        <MessageList
          key={`${place.account ?? ''}|${folder ?? ''}|${place.q ?? ''}`}
          label={t('inbox.listIn', { folder: heading })}
          messages={messages}
          accounts={accounts ?? []}
          showAccount={!place.account && (accounts?.length ?? 0) > 1}
          open={place.message}
          hasMore={list.hasNextPage}
          loadingMore={list.isFetchingNextPage}
          onMore={() => void list.fetchNextPage()}
          onOpen={(message) => onGo({ ...place, message }, { replace: place.message !== undefined })}
          onClose={() => onGo({ ...place, message: undefined })}
        />
      )}
    </>
  );
}

function UnreadCount({ place, labels }: { place: Place; labels: Label[] | undefined }) {
  const folder = folderOf(place);
  if (!folder || place.q) return null;
  const byRole = sumByRole(labels, folder, place.account).unread;
  const count =
    byRole ||
    (labels?.find((label) => label.id === folder && label.account_id === place.account)?.unread ?? 0);
  return count > 0 ? (
    <span className="tabular shrink-0 text-sm text-muted">{t('inbox.unreadCount', { count })}</span>
  ) : null;
}

function Nothing({
  place,
  labels,
  importing,
  onGo,
}: {
  place: Place;
  labels: Label[] | undefined;
  importing: boolean;
  onGo: Go;
}) {
  if (place.q) {
    return (
      <Empty
        icon={<SearchX aria-hidden />}
        title={t('inbox.noResult.title', { query: place.q })}
        actions={
          <Button onClick={() => onGo({ account: place.account, folder: place.folder })}>
            {t('search.clear')}
          </Button>
        }
      >
        <p>{t('inbox.noResult.body')}</p>
        {importing && <p className="mt-2">{t('inbox.noResult.importing')}</p>}
      </Empty>
    );
  }
  return importing ? (
    <Empty icon={<Inbox aria-hidden />} title={t('inbox.emptyImporting.title')}>
      {t('inbox.emptyImporting.body')}
    </Empty>
  ) : (
    <Empty
      icon={<Inbox aria-hidden />}
      title={t('inbox.empty.title', { folder: folderName(folderOf(place) ?? everything, labels) })}
    >
      {t('inbox.empty.body')}
    </Empty>
  );
}

function Skeleton() {
  return (
    <div role="status" className="flex flex-col">
      <span className="sr-only">{t('common.loading')}</span>
      {Array.from({ length: 8 }, (_, row) => (
        <div
          key={row}
          aria-hidden
          className="flex animate-pulse flex-col gap-2 border-b border-line px-4 py-3.5"
        >
          <div className="h-3 w-2/5 rounded bg-sunken" />
          <div className="h-3 w-4/5 rounded bg-sunken" />
          <div className="h-3 w-3/5 rounded bg-sunken" />
        </div>
      ))}
    </div>
  );
}
