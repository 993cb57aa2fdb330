import { CircleCheck, CircleMinus, ShieldQuestion } from 'lucide-react';
import type { Capability, ConnectedAccount } from '@/shared/api/accounts';
import { capabilities } from '@/shared/account-status';
import { grantNow } from '@/shared/dialogs';
import { providerName } from '@/shared/error-words';
import { t } from '@/shared/i18n/i18n';
import { Rich } from '@/shared/i18n/rich';
import { Button } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { capabilityIcons } from './permission-choice';

/** What the provider lets us do, in plain words, with what is missing one click away. */
export function PermissionsDialog({ account, onClose }: { account: ConnectedAccount; onClose: () => void }) {
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('permissions.title')}
      description={
        <Rich
          k="permissions.body"
          values={{ provider: providerName(account.provider), email: <bdi>{account.email}</bdi> }}
        />
      }
    >
      <ul className="divide-y divide-line">
        {capabilities.map((capability) => (
          <PermissionRow
            key={capability}
            account={account}
            capability={capability}
            onGrant={() => {
              grantNow(account, [capability]);
              onClose();
            }}
          />
        ))}
      </ul>
    </Dialog>
  );
}

interface PermissionRowProps {
  account: ConnectedAccount;
  capability: Capability;
  onGrant: () => void;
}

function PermissionRow({ account, capability, onGrant }: PermissionRowProps) {
  const { granted, requested } = account.capabilities[capability];
  const Icon = capabilityIcons[capability];
  const State = granted ? CircleCheck : requested ? ShieldQuestion : CircleMinus;
  return (
    <li className="flex items-start gap-3 py-3">
      <Icon aria-hidden className="mt-0.5 size-4.5 shrink-0 text-muted" />
      <div className="min-w-0 flex-1">
        <p className="font-medium">{t(`capability.${capability}`)}</p>
        <p
          className={`mt-0.5 flex items-center gap-1.5 text-sm ${granted ? 'text-ok' : requested ? 'text-warn' : 'text-muted'}`}
        >
          <State aria-hidden className="size-4 shrink-0" />
          {t(granted ? 'capability.granted' : requested ? 'capability.notGranted' : 'capability.notAsked')}
        </p>
        <p className="mt-1 text-sm text-muted">
          {t(`capability.${capability}.does`)} {t(`capability.${capability}.never`)}
        </p>
      </div>
      {!granted && (
        <Button
          size="small"
          onClick={onGrant}
          aria-label={`${t('capability.grant')}: ${t(`capability.${capability}`)}`}
        >
          {t('capability.grant')}
        </Button>
      )}
    </li>
  );
}
