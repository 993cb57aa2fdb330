import { useQuery } from '@tanstack/react-query';
import { CalendarDays, Mail, Send } from 'lucide-react';
import type { Capability } from '@/shared/api/accounts';
import { sessionQuery, type ProviderId } from '@/shared/api/session';
import { capabilities } from '@/shared/account-status';
import { providerName } from '@/shared/error-words';
import { t } from '@/shared/i18n/i18n';
import { Button } from '@/shared/ui/button';
import { SwitchRow } from '@/shared/ui/switch';

export const capabilityIcons = {
  read_mail: Mail,
  send_mail: Send,
  read_calendar: CalendarDays,
} satisfies Record<Capability, unknown>;

interface PermissionChoiceProps {
  provider: ProviderId;
  wanted: Capability[];
  onChange: (wanted: Capability[]) => void;
  onBack: (() => void) | undefined;
  onContinue: () => void;
}

/** One switch for each capability, with what we do with it and what we never do. */
export function PermissionChoice({ provider, wanted, onChange, onBack, onContinue }: PermissionChoiceProps) {
  const { data: session } = useQuery(sessionQuery);
  const offered = session?.providers.find((candidate) => candidate.id === provider)?.capabilities ?? [
    'read_mail',
  ];
  return (
    <>
      <fieldset>
        <legend className="font-medium">{t('connect.choosePermissions')}</legend>
        <div className="mt-1 divide-y divide-line">
          {capabilities
            .filter((capability) => offered.includes(capability))
            .map((capability) => {
              const Icon = capabilityIcons[capability];
              const required = capability === 'read_mail';
              return (
                <SwitchRow
                  key={capability}
                  icon={<Icon aria-hidden />}
                  label={t(`capability.${capability}`)}
                  help={
                    <>
                      {t(`capability.${capability}.does`)} {t(`capability.${capability}.never`)}
                      {required && <span className="mt-0.5 block">{t('connect.required')}</span>}
                    </>
                  }
                  checked={wanted.includes(capability)}
                  disabled={required && wanted.includes(capability)}
                  onChange={(on) =>
                    onChange(on ? [...wanted, capability] : wanted.filter((other) => other !== capability))
                  }
                />
              );
            })}
        </div>
      </fieldset>
      <div className="mt-4 flex flex-wrap justify-end gap-2">
        {onBack && (
          <Button look="quiet" onClick={onBack}>
            {t('common.back')}
          </Button>
        )}
        <Button look="primary" disabled={wanted.length === 0} onClick={onContinue}>
          {t('connect.continue', { provider: providerName(provider) })}
        </Button>
      </div>
    </>
  );
}
