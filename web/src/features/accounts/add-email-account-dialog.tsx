import { useQuery } from '@tanstack/react-query';
import { ChevronRight } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { Capability } from '@/shared/api/accounts';
import { sessionQuery, type ProviderId, type ProviderInfo } from '@/shared/api/session';
import { takeOpenedWindow, useDialogs, type ConnectIntent } from '@/shared/dialogs';
import { providerName } from '@/shared/error-words';
import { t } from '@/shared/i18n/i18n';
import { Rich } from '@/shared/i18n/rich';
import { Button } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { ProviderMark } from '@/shared/ui/logo';
import { ConnectProgress } from './connect-progress';
import { PermissionChoice } from './permission-choice';
import { useConnectFlow } from './use-connect-flow';

const known: ProviderId[] = ['google', 'microsoft'];

/** Adds an account, signs in again for one, or asks for more: provider, permissions, then the provider's own window. */
export function AddEmailAccountDialog() {
  const intent = useDialogs((state) => state.connect) ?? { kind: 'add' };
  const close = useDialogs((state) => state.closeConnect);
  const { flow, start, startHere, bringToFront, reset } = useConnectFlow();
  const [provider, setProvider] = useState<ProviderId | null>(
    intent.kind === 'add' ? null : intent.account.provider,
  );
  const [wanted, setWanted] = useState<Capability[]>(initialCapabilities(intent));
  const account = intent.kind === 'add' ? undefined : intent.account.id;

  useEffect(() => {
    const opened = takeOpenedWindow();
    // The click that asked has opened a window already: nothing is left to choose.
    if (opened !== undefined && intent.kind === 'grant')
      start({ provider: intent.account.provider, capabilities: wanted, account }, opened);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once, for the click that opened this dialog
  }, []);

  const step = flow.step !== 'idle' ? 3 : provider ? 2 : 1;
  return (
    <Dialog
      open
      onClose={() => {
        reset();
        close();
      }}
      title={<Title intent={intent} />}
      description={intent.kind === 'add' ? t('connect.step', { step, total: 3 }) : undefined}
    >
      {step === 1 && <ProviderChoice onChoose={setProvider} />}
      {step === 2 && provider && (
        <PermissionChoice
          provider={provider}
          wanted={wanted}
          onChange={setWanted}
          onBack={intent.kind === 'add' ? () => setProvider(null) : undefined}
          onContinue={() => start({ provider, capabilities: wanted, account })}
        />
      )}
      {step === 3 && provider && (
        <ConnectProgress
          flow={flow}
          intent={intent}
          provider={provider}
          onFront={bringToFront}
          onStart={start}
          onStartHere={startHere}
          onPermissions={reset}
          onAnother={() => {
            reset();
            setProvider(null);
            setWanted(['read_mail']);
          }}
          onClose={() => {
            reset();
            close();
          }}
        />
      )}
    </Dialog>
  );
}

function initialCapabilities(intent: ConnectIntent): Capability[] {
  if (intent.kind === 'add') return ['read_mail'];
  const { capabilities } = intent.account;
  const had = (Object.keys(capabilities) as Capability[]).filter(
    (capability) => capabilities[capability].requested,
  );
  const base: Capability[] = had.length > 0 ? had : ['read_mail'];
  return intent.kind === 'grant' ? [...new Set([...base, ...intent.capabilities])] : base;
}

function Title({ intent }: { intent: ConnectIntent }) {
  if (intent.kind === 'add') return t('connect.add.title');
  return <Rich k={`connect.${intent.kind}.title`} values={{ email: <bdi>{intent.account.email}</bdi> }} />;
}

function ProviderChoice({ onChoose }: { onChoose: (provider: ProviderId) => void }) {
  const { data: session } = useQuery(sessionQuery);
  const offered = (id: ProviderId): ProviderInfo | undefined =>
    session?.providers.find((provider) => provider.id === id && provider.connect);
  return (
    <fieldset>
      <legend className="mb-3 font-medium">{t('connect.chooseProvider')}</legend>
      <div className="flex flex-col gap-2">
        {known.map((id) => {
          const available = offered(id) !== undefined;
          return (
            <Button key={id} size="row" disabled={!available} onClick={() => onChoose(id)}>
              <ProviderMark provider={id} className={available ? 'size-6' : 'size-6 opacity-70 grayscale'} />
              <span className="min-w-0 flex-1">
                <span className="block">{providerName(id)}</span>
                <span className="block text-sm font-normal whitespace-normal text-muted">
                  {t(available ? `connect.${id}.help` : 'connect.unavailable')}
                </span>
              </span>
              {available && <ChevronRight aria-hidden className="size-4 text-muted rtl:rotate-180" />}
            </Button>
          );
        })}
      </div>
    </fieldset>
  );
}
