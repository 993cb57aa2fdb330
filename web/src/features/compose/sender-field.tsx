import { useQueries } from '@tanstack/react-query';
import { useId } from 'react';
import type { ConnectedAccount } from '@/shared/api/accounts';
import { sendAddressesQuery, type SendAddress } from '@/shared/api/outbox';
import { t } from '@/shared/i18n/i18n';

/** Accounts that may send now. */
export function sendingAccounts(accounts: readonly ConnectedAccount[]): ConnectedAccount[] {
  return accounts.filter(
    (account) =>
      account.capabilities.send_mail.status === 'ok' &&
      !['needs_reauth', 'disconnecting', 'disconnected', 'authorizing'].includes(account.status),
  );
}

interface SenderFieldProps {
  accounts: ConnectedAccount[];
  account: string | null;
  from: string | null;
  onChange: (account: string, from: string | null) => void;
}

/** From whom: every account that may send, with the addresses its provider allows. */
export function SenderField({ accounts, account, from, onChange }: SenderFieldProps) {
  const id = useId();
  const answers = useQueries({ queries: accounts.map((one) => sendAddressesQuery(one.id)) });
  const addresses = (index: number): SendAddress[] => {
    const own = accounts[index]?.email ?? '';
    // Until the provider has said which addresses there are, the account's own is one for certain.
    return answers[index]?.data?.length
      ? answers[index].data
      : [{ address: own, name: null, is_default: true }];
  };
  const chosen = accounts.findIndex((one) => one.id === account);
  const standard = chosen >= 0 ? addresses(chosen).find((one) => one.is_default)?.address : undefined;
  return (
    <div className="flex items-center gap-3 border-b border-line py-1">
      <label htmlFor={id} className="w-12 shrink-0 text-sm text-muted">
        {t('message.from')}
      </label>
      <select
        id={id}
        value={`${account ?? ''} ${from ?? standard ?? accounts[chosen]?.email ?? ''}`}
        onChange={(event) => {
          const [next, address] = event.target.value.split(' ', 2);
          if (next) onChange(next, address ?? null);
        }}
        className="h-9 min-w-0 flex-1 rounded bg-transparent px-1 outline-offset-0 pointer-coarse:h-11 [&_option]:bg-raised [&_option]:text-ink"
      >
        {accounts.map((one, index) => (
          <optgroup key={one.id} label={one.display_name ?? one.email}>
            {addresses(index).map(({ address, name }) => (
              <option key={address} value={`${one.id} ${address}`}>
                {name ? `${name} <${address}>` : address}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </div>
  );
}
