import { Link } from '@tanstack/react-router';
import type { ConnectAttempt, ConnectAttemptRequest } from '@/shared/api/connect-attempts';
import { serviceNames } from '@/shared/account-status';
import { problemWords, providerName } from '@/shared/error-words';
import { t, type MessageKey } from '@/shared/i18n/i18n';
import { Rich } from '@/shared/i18n/rich';
import { Button, buttonLook } from '@/shared/ui/button';
import { CopyButton } from '@/shared/ui/copy-button';
import { Notice } from '@/shared/ui/notice';
import { Reference } from '@/shared/ui/problem-notice';
import type { ConnectProgressProps } from './connect-progress';

interface ConnectOutcomeProps extends ConnectProgressProps {
  request: Omit<ConnectAttemptRequest, 'mode'>;
  attempt: ConnectAttempt;
}

/** How an attempt ended, in words, with the one thing to do next. */
export function ConnectOutcome({
  request,
  attempt,
  intent,
  onStart,
  onPermissions,
  onAnother,
  onClose,
}: ConnectOutcomeProps) {
  const { account, provider } = attempt;
  if (attempt.status === 'succeeded' && account) {
    const missing = account.missing_capabilities ?? [];
    const partial = attempt.error_code === 'partial_consent' || missing.length > 0;
    return (
      <>
        <Notice
          tone="ok"
          role="status"
          title={<Rich k="connect.success.title" values={{ email: <bdi>{account.email}</bdi> }} />}
        >
          {!missing.includes('read_mail') &&
            t(intent.kind === 'add' ? 'connect.success.body' : 'connect.success.reconnected')}
        </Notice>
        {partial && (
          <Notice
            tone="warn"
            className="mt-2"
            title={t('connect.partial.title')}
            actions={
              <Button
                size="small"
                onClick={() =>
                  onStart({ ...request, account: account.id, capabilities: request.capabilities })
                }
              >
                {t('action.grant', { services: serviceNames(missing) })}
              </Button>
            }
          >
            {t('connect.partial.body', { services: serviceNames(missing), provider: providerName(provider) })}
          </Notice>
        )}
        <div className="mt-4 flex flex-wrap justify-end gap-2">
          {partial ? (
            <Button onClick={onClose}>{t('connect.partial.keep')}</Button>
          ) : (
            intent.kind === 'add' && <Button onClick={onAnother}>{t('connect.success.another')}</Button>
          )}
          {intent.kind === 'add' ? (
            <Link to="/inbox" className={buttonLook({ look: 'primary' })} onClick={onClose}>
              {t('connect.success.open')}
            </Link>
          ) : (
            <Button look="primary" onClick={onClose}>
              {t('common.done')}
            </Button>
          )}
        </div>
      </>
    );
  }
  // An attempt that ran out brought no answer at all: the window was closed or forgotten.
  const code = attempt.status === 'expired' ? 'popup_closed' : (attempt.error_code ?? 'internal');
  const words = problemWords(code, attempt.params, provider);
  return (
    <Notice
      tone={code === 'access_denied' || code === 'popup_closed' ? 'warn' : 'bad'}
      role="alert"
      title={words.title}
      actions={
        <Remedies
          code={code}
          attempt={attempt}
          request={request}
          onStart={onStart}
          onPermissions={onPermissions}
          onClose={onClose}
        />
      }
    >
      <p>{words.body}</p>
      {code === 'access_denied' && attempt.params.admin_consent_url && <p>{t('connect.deniedApproval')}</p>}
      <Reference code={code} />
    </Notice>
  );
}

type RemediesProps = Pick<
  ConnectOutcomeProps,
  'attempt' | 'request' | 'onStart' | 'onPermissions' | 'onClose'
> & { code: string };

function Remedies({ code, attempt, request, onStart, onPermissions, onClose }: RemediesProps) {
  const { expected, actual, admin_consent_url: consent } = attempt.params;
  if (code === 'access_denied') {
    return (
      <>
        {consent && <CopyButton text={String(consent)} label={t('action.copy_admin_link')} />}
        <Button size="small" look="primary" onClick={onPermissions}>
          {t('connect.choosePermissionsAction')}
        </Button>
        <Button size="small" onClick={onClose}>
          {t('common.close')}
        </Button>
      </>
    );
  }
  if (code === 'wrong_account' && expected && actual) {
    return (
      <>
        <Button size="small" look="primary" onClick={() => onStart(request)}>
          {t('connect.useExpected', { email: String(expected) })}
        </Button>
        <Button
          size="small"
          onClick={() => onStart({ provider: request.provider, capabilities: request.capabilities })}
        >
          {t('connect.addOther', { email: String(actual) })}
        </Button>
      </>
    );
  }
  const again = retryWords[code];
  return (
    <>
      {consent && <CopyButton text={String(consent)} label={t('action.copy_admin_link')} />}
      {code === 'already_connected' && (
        <Link to="/accounts" className={buttonLook({ size: 'small' })} onClick={onClose}>
          {t('connect.showIt')}
        </Link>
      )}
      <Button size="small" look="primary" onClick={() => onStart(request)}>
        {again ? t(again, { provider: providerName(attempt.provider) }) : t('common.retry')}
      </Button>
      <Button size="small" onClick={onClose}>
        {t('common.close')}
      </Button>
    </>
  );
}

/** Where trying again deserves its own words. */
const retryWords: Partial<Record<string, MessageKey>> = {
  mfa_required: 'connect.continueAt',
  admin_consent_required: 'action.approved',
  no_refresh_token: 'action.connect_again',
  no_mailbox: 'connect.otherAccount',
};
