import { Link } from '@tanstack/react-router';
import { AppWindow } from 'lucide-react';
import type { ProviderId } from '@/shared/api/session';
import type { ConnectAttemptRequest } from '@/shared/api/connect-attempts';
import { ApiError } from '@/shared/api/problem';
import type { ConnectIntent } from '@/shared/dialogs';
import { problemWords, providerName } from '@/shared/error-words';
import { t } from '@/shared/i18n/i18n';
import { Button } from '@/shared/ui/button';
import { CopyButton } from '@/shared/ui/copy-button';
import { Notice } from '@/shared/ui/notice';
import { ProblemNotice } from '@/shared/ui/problem-notice';
import { Spinner } from '@/shared/ui/spinner';
import { ConnectOutcome } from './connect-outcome';
import type { ConnectFlow } from './use-connect-flow';

type Request = Omit<ConnectAttemptRequest, 'mode'>;

export interface ConnectProgressProps {
  flow: ConnectFlow;
  intent: ConnectIntent;
  provider: ProviderId;
  onFront: () => void;
  onStart: (request: Request) => void;
  onStartHere: (request: Request) => void;
  onPermissions: () => void;
  onAnother: () => void;
  onClose: () => void;
}

/** The third step: the person is at the provider; then how it ended. */
export function ConnectProgress(props: ConnectProgressProps) {
  const { flow, provider, onFront, onStart, onStartHere, onPermissions, onClose } = props;
  const name = providerName(provider);
  switch (flow.step) {
    case 'idle':
    case 'starting':
      return (
        <p role="status" className="flex items-center gap-2.5 py-4 text-muted">
          <Spinner />
          {t('connect.starting')}
        </p>
      );
    case 'blocked': {
      const words = problemWords('popup_blocked');
      return (
        <Notice
          tone="warn"
          role="alert"
          title={words.title}
          actions={
            <>
              <Button size="small" look="primary" onClick={() => onStartHere(flow.request)}>
                {t('connect.thisTab')}
              </Button>
              <Button size="small" onClick={() => onStart(flow.request)}>
                {t('common.retry')}
              </Button>
            </>
          }
        >
          {words.body}
        </Notice>
      );
    }
    case 'waiting': {
      const late = problemWords('connect_timeout', {}, provider);
      const consent = flow.attempt.params.admin_consent_url;
      return (
        <div role="status">
          <div className="flex items-start gap-3 py-1">
            <span className="grid size-10 shrink-0 place-items-center rounded-xl bg-accent-soft text-accent-soft-ink">
              <AppWindow aria-hidden className="size-5" />
            </span>
            <div className="min-w-0">
              <p className="font-semibold">
                {flow.slow ? late.title : t('connect.waiting.title', { provider: name })}
              </p>
              <p className="mt-0.5 text-muted">
                {t(flow.slow ? 'connect.waiting.slow' : 'connect.waiting.body')}
              </p>
            </div>
          </div>
          {consent && (
            // Microsoft's page may stop here and never send anybody back.
            <details className="mt-3 rounded-xl bg-sunken px-3.5 py-2.5 text-sm">
              <summary className="cursor-pointer font-medium">
                {t('connect.waiting.approval', { provider: name })}
              </summary>
              <p className="mt-1 mb-2 text-muted">{t('error.admin_consent_required.body')}</p>
              <CopyButton text={String(consent)} label={t('action.copy_admin_link')} />
            </details>
          )}
          <div className="mt-4 flex flex-wrap justify-end gap-2">
            <Button look="quiet" onClick={onClose}>
              {t('common.cancel')}
            </Button>
            <Button onClick={() => onStartHere(flow.request)}>{t('connect.openInTab')}</Button>
            {flow.slow ? (
              <Button look="primary" onClick={() => onStart(flow.request)}>
                {t('connect.openAgain')}
              </Button>
            ) : (
              <Button look="primary" onClick={onFront}>
                {t('connect.front')}
              </Button>
            )}
          </div>
        </div>
      );
    }
    case 'failed':
      return (
        <ProblemNotice
          error={flow.error}
          provider={provider}
          actions={
            <>
              <Button size="small" look="primary" onClick={() => onStart(flow.request)}>
                {t('common.retry')}
              </Button>
              {flow.error instanceof ApiError && flow.error.problem.code === 'already_connected' && (
                <Link to="/accounts" onClick={onClose}>
                  {t('connect.showIt')}
                </Link>
              )}
              <Button size="small" onClick={onPermissions}>
                {t('common.back')}
              </Button>
            </>
          }
        />
      );
    case 'finished':
      return <ConnectOutcome {...props} request={flow.request} attempt={flow.attempt} />;
  }
}
