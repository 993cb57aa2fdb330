import { Link, useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { t } from '@/shared/i18n/i18n';
import { PageTitle } from '@/shared/page-title';
import { Button, buttonLook } from '@/shared/ui/button';
import { Empty } from '@/shared/ui/empty';
import { ProblemNotice } from '@/shared/ui/problem-notice';
import { Spinner } from '@/shared/ui/spinner';

export function PendingPage() {
  return (
    <div role="status" className="grid min-h-60 flex-1 place-items-center text-muted">
      <Spinner className="size-6" />
      <span className="sr-only">{t('common.loading')}</span>
    </div>
  );
}

export function NotFoundPage() {
  return (
    <main className="grid min-h-full place-items-center">
      <PageTitle title={t('notFound.title')} />
      <Empty
        heading="h1"
        icon={<Compass aria-hidden />}
        title={t('notFound.title')}
        actions={
          <Link to="/inbox" className={buttonLook({ look: 'primary' })}>
            {t('errorPage.home')}
          </Link>
        }
      >
        {t('notFound.body')}
      </Empty>
    </main>
  );
}

/** A page that could not be shown; the rest of the app stays where it is. */
export function FailedPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <main className="mx-auto w-full max-w-lg px-4 py-12">
      <h1 className="sr-only">{t('errorPage.title')}</h1>
      <ProblemNotice
        error={error}
        actions={
          <Button
            size="small"
            onClick={() => {
              reset();
              void router.invalidate();
            }}
          >
            {t('common.retry')}
          </Button>
        }
      />
    </main>
  );
}
