import { CalendarDays, CircleCheck, CircleMinus, Mail, Send, ShieldQuestion } from 'lucide-react';
import type {
  AccountHealth,
  AccountStatus,
  Capability,
  ConnectedAccount,
  ServiceHealth,
} from '@/shared/api/accounts';
import { statusLooks, toneText } from '@/shared/account-status';
import { grantNow } from '@/shared/dialogs';
import { providerName } from '@/shared/error-words';
import { t } from '@/shared/i18n/i18n';
import { Button } from '@/shared/ui/button';

const grantLooks = {
  ok: { icon: CircleCheck, tone: 'text-ok' },
  off: { icon: CircleMinus, tone: 'text-muted' },
  missing_scope: { icon: ShieldQuestion, tone: 'text-warn' },
} as const;

const rows = {
  read_mail: { icon: Mail, label: 'service.mail', service: 'mail' },
  read_calendar: { icon: CalendarDays, label: 'service.calendar', service: 'calendar' },
  send_mail: { icon: Send, label: 'service.send', service: 'send' },
} as const satisfies Record<Capability, unknown>;

interface AccountServicesProps {
  account: ConnectedAccount;
  services: AccountHealth['services'];
}

/** Mail, calendar and sending, each with its own state and, where one click mends it, that click. */
export function AccountServices({ account, services }: AccountServicesProps) {
  return (
    <ul className="mt-4 grid gap-x-6 gap-y-1.5 border-t border-line pt-3 text-sm sm:grid-cols-3">
      {(Object.keys(rows) as Capability[]).map((capability) => {
        const { icon: Icon, label, service } = rows[capability];
        const granted = account.capabilities[capability];
        return (
          <li key={capability} className="flex min-h-8 flex-wrap items-center gap-x-2 gap-y-1">
            <Icon aria-hidden className="size-4 shrink-0 text-muted" />
            <span>{t(label)}</span>
            <State capability={capability} account={account} health={services?.[service]} />
            {granted.status === 'missing_scope' && account.action !== 'grant' && (
              <Button
                size="small"
                aria-label={t('action.grant', { services: t(label) })}
                onClick={() => grantNow(account, [capability])}
              >
                {t('capability.grant')}
              </Button>
            )}
          </li>
        );
      })}
    </ul>
  );
}

interface StateProps {
  capability: Capability;
  account: ConnectedAccount;
  health: ServiceHealth | undefined;
}

/** What the server says of the service; before it has said anything, whether it is allowed at all. */
function State({ capability, account, health }: StateProps) {
  const grant = account.capabilities[capability].status;
  // Said only where it differs: what is true of the whole account stands above already.
  const own =
    grant === 'ok' && health && !['off', 'missing_scope', 'healthy', account.status].includes(health.status)
      ? (health.status as AccountStatus)
      : null;
  const Icon = own ? statusLooks[own].icon : grantLooks[grant].icon;
  const tone = own ? toneText[statusLooks[own].tone] : grantLooks[grant].tone;
  return (
    <span className={`inline-flex min-w-0 items-center gap-1 ${tone}`}>
      <Icon aria-hidden className="size-3.5 shrink-0" />
      {own
        ? t(`status.${own}`, {
            provider: providerName(account.provider),
            services: t(rows[capability].label),
          })
        : t(`service.${grant}`)}
    </span>
  );
}
