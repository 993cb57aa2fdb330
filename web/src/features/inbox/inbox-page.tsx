import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { MailOpen, MailPlus } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { accountsQuery } from '@/shared/api/accounts';
import { labelsQuery } from '@/shared/api/messages';
import { useDialogs } from '@/shared/dialogs';
import { t } from '@/shared/i18n/i18n';
import { cn } from '@/shared/lib/cn';
import { PageTitle } from '@/shared/page-title';
import { Button } from '@/shared/ui/button';
import { Empty } from '@/shared/ui/empty';
import { FolderNav } from './folder-nav';
import { MessageListPane } from './message-list-pane';
import { MessagePane } from './message-pane';
import { everything, folderName, folderOf, type Go, type Place } from './place';

// Only narrow screens need it.
const Dialog = lazy(async () => ({ default: (await import('@/shared/ui/dialog')).Dialog }));

/** Folders, list and message side by side; on narrow screens one at a time. */
export function InboxPage({ place, onGo }: { place: Place; onGo: Go }) {
  const accounts = useQuery(accountsQuery);
  const labels = useQuery(labelsQuery);
  const [foldersOpen, setFoldersOpen] = useState(false);

  if (accounts.data?.length === 0) return <FirstRun />;

  const heading = place.q
    ? t('inbox.searchResults', { query: place.q })
    : folderName(folderOf(place) ?? everything, labels.data);
  const nav = (
    <FolderNav
      place={place}
      accounts={accounts.data}
      labels={labels.data}
      onGo={(next) => {
        setFoldersOpen(false);
        onGo(next);
      }}
    />
  );
  return (
    <main className="flex min-h-0 flex-1">
      <PageTitle title={heading} />
      <h1 className="sr-only">{heading}</h1>
      <aside
        aria-label={t('inbox.mailboxes')}
        className="thin-scroll hidden w-60 shrink-0 overflow-y-auto px-3 py-3 lg:block"
      >
        {nav}
      </aside>
      <div
        className={cn(
          'min-h-0 min-w-0 flex-1 flex-col bg-surface md:flex md:max-w-96 md:border-x md:border-line xl:max-w-104',
          place.message ? 'hidden' : 'flex',
        )}
      >
        <MessageListPane
          place={place}
          heading={heading}
          accounts={accounts.data}
          labels={labels.data}
          onGo={onGo}
          onFolders={() => setFoldersOpen(true)}
        />
      </div>
      <section
        aria-label={t('inbox.reading')}
        className={cn(
          'min-h-0 min-w-0 flex-1 flex-col bg-surface md:flex',
          place.message ? 'flex' : 'hidden',
        )}
      >
        {place.message ? (
          <MessagePane
            key={place.message}
            id={place.message}
            accounts={accounts.data}
            labels={labels.data}
            onClose={() => onGo({ ...place, message: undefined })}
            onOpen={(message) => onGo({ ...place, message })}
          />
        ) : (
          <div className="grid flex-1 place-items-center">
            <Empty icon={<MailOpen aria-hidden />} title={t('inbox.nothingOpen')}>
              {t('inbox.nothingOpenBody')}
            </Empty>
          </div>
        )}
      </section>
      <Suspense fallback={null}>
        {foldersOpen && (
          <Dialog open onClose={() => setFoldersOpen(false)} title={t('inbox.mailboxes')}>
            {nav}
          </Dialog>
        )}
      </Suspense>
    </main>
  );
}

function FirstRun() {
  const openConnect = useDialogs((state) => state.openConnect);
  const navigate = useNavigate();
  return (
    <main className="grid min-h-0 flex-1 place-items-center overflow-y-auto">
      <PageTitle title={t('inbox.title')} />
      <Empty
        heading="h1"
        icon={<MailPlus aria-hidden />}
        title={t('inbox.first.title')}
        actions={
          <>
            <Button look="primary" onClick={() => openConnect({ kind: 'add' })}>
              {t('inbox.first.connect')}
            </Button>
            <Button onClick={() => void navigate({ to: '/accounts' })}>{t('nav.accounts')}</Button>
          </>
        }
      >
        {t('inbox.first.body')}
      </Empty>
    </main>
  );
}
