import { useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { sessionQuery } from '@/shared/api/session';
import { useDialogs } from '@/shared/dialogs';
import { t } from '@/shared/i18n/i18n';
import { Rich } from '@/shared/i18n/rich';
import { PageTitle } from '@/shared/page-title';
import { Button, buttonLook } from '@/shared/ui/button';
import { Notice } from '@/shared/ui/notice';

/**
 * Shown for a connect link that this session did not start. Going on begins a new attempt for the person who reads this, so
 * that nobody can collect a mailbox by passing a link on.
 */
export function ConnectConfirmPage() {
  const { data: session } = useSuspenseQuery(sessionQuery);
  const openConnect = useDialogs((state) => state.openConnect);
  return (
    <main className="mx-auto w-full max-w-lg px-4 py-10">
      <PageTitle title={t('connectConfirm.title')} />
      <h1 className="mb-4 text-xl font-semibold tracking-tight">{t('connectConfirm.title')}</h1>
      <Notice tone="warn">
        <Rich
          k="connectConfirm.body"
          values={{ email: <bdi className="font-semibold">{session.user?.email ?? ''}</bdi> }}
        />
      </Notice>
      <div className="mt-5 flex flex-wrap justify-end gap-2">
        <Link to="/inbox" className={buttonLook()}>
          {t('connectConfirm.leave')}
        </Link>
        <Button look="primary" onClick={() => openConnect({ kind: 'add' })}>
          {t('connectConfirm.start')}
        </Button>
      </div>
    </main>
  );
}
