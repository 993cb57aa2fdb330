import { providerName } from '@/shared/error-words';
import { t } from '@/shared/i18n/i18n';
import { CopyButton } from '@/shared/ui/copy-button';
import { Notice } from '@/shared/ui/notice';

const providers = ['google', 'microsoft'] as const;
const settings = (provider: string) =>
  [`AUTH_${provider.toUpperCase()}_CLIENT_ID=`, `AUTH_${provider.toUpperCase()}_CLIENT_SECRET=`].join('\n');

/** Shown while no provider is configured: what a person can know, and what an administrator has to do. */
export function NotSetUp() {
  const origin = window.location.origin;
  return (
    <>
      <Notice tone="info" title={t('login.notSetUp')}>
        {t('login.notSetUpUser')}
      </Notice>
      <p className="text-sm text-muted">{t('login.notSetUpAdmin')}</p>
      {providers.map((provider, index) => (
        <details key={provider} open={index === 0} className="rounded-xl border border-line px-3.5 py-2.5">
          <summary className="cursor-pointer font-medium">{providerName(provider)}</summary>
          <dl className="mt-2 flex flex-col gap-3">
            <Copyable label={t('login.redirectSignIn')} text={`${origin}/auth/login/${provider}/callback`} />
            <Copyable
              label={t('login.redirectConnect')}
              text={`${origin}/auth/apis/connect/${provider}/callback`}
            />
            <Copyable label={t('login.settings')} text={settings(provider)} />
          </dl>
        </details>
      ))}
    </>
  );
}

function Copyable({ label, text }: { label: string; text: string }) {
  return (
    <div>
      <dt className="mb-1 text-sm font-medium">{label}</dt>
      <dd className="flex items-start gap-2">
        <code className="min-w-0 flex-1 rounded-lg bg-sunken px-2.5 py-1.5 font-mono text-xs break-all whitespace-pre-line">
          {text}
        </code>
        <CopyButton text={text} />
      </dd>
    </div>
  );
}
