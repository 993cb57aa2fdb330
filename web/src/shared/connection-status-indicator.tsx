import type { AccountHealth, ConnectedAccount } from './api/accounts';
import { statusLabel, statusLine, statusLooks, toneText } from './account-status';
import { cn } from './lib/cn';
import { useNow } from './lib/time';

/** The health of a connection: icon and words, never colour alone, with the line that explains it. */
export function ConnectionStatusIndicator({
  account,
  health,
  detailed = false,
}: {
  account: ConnectedAccount;
  health?: AccountHealth | undefined;
  detailed?: boolean;
}) {
  const now = useNow();
  const { icon: Icon, tone } = statusLooks[account.status];
  return (
    <div className="min-w-0 text-sm">
      <p className={cn('flex items-center gap-1.5 font-medium', toneText[tone])}>
        <Icon aria-hidden className={cn('size-4 shrink-0', account.status === 'syncing' && 'lk-spin')} />
        <span className="min-w-0 break-words">{statusLabel(account)}</span>
      </p>
      {detailed && <p className="mt-0.5 break-words text-muted">{statusLine(account, now, health)}</p>}
    </div>
  );
}
