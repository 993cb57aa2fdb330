import { useNavigate } from '@tanstack/react-router';
import {
  Activity,
  Ellipsis,
  Inbox,
  KeyRound,
  ListChecks,
  Pause,
  Pencil,
  Play,
  RefreshCw,
  ShieldCheck,
  Unplug,
} from 'lucide-react';
import type { ConnectedAccount } from '@/shared/api/accounts';
import { useDialogs } from '@/shared/dialogs';
import { t } from '@/shared/i18n/i18n';
import { Button } from '@/shared/ui/button';
import { Menu, MenuItem, MenuSeparator } from '@/shared/ui/menu';
import { useAccountVerbs } from './account-card';

export type AccountDialog = 'rename' | 'permissions' | 'activity' | 'audit' | 'disconnect';

interface AccountMenuProps {
  account: ConnectedAccount;
  onDialog: (dialog: AccountDialog) => void;
}

export function AccountMenu({ account, onDialog }: AccountMenuProps) {
  const verbs = useAccountVerbs(account);
  const openConnect = useDialogs((state) => state.openConnect);
  const navigate = useNavigate();
  const paused = account.status === 'paused';
  const label = t('accounts.menu', { email: account.email });
  return (
    <Menu
      label={label}
      trigger={
        <Button look="quiet" size="icon" aria-label={label}>
          <Ellipsis aria-hidden className="size-5" />
        </Button>
      }
    >
      <MenuItem
        icon={<Inbox aria-hidden />}
        onSelect={() => void navigate({ to: '/inbox', search: { account: account.id } })}
      >
        {t('accounts.openInbox')}
      </MenuItem>
      <MenuItem
        icon={<RefreshCw aria-hidden />}
        disabled={paused || account.status === 'needs_reauth'}
        onSelect={() => verbs.mutate('sync')}
      >
        {t('accounts.syncNow')}
      </MenuItem>
      <MenuItem
        icon={paused ? <Play aria-hidden /> : <Pause aria-hidden />}
        onSelect={() => verbs.mutate(paused ? 'resume' : 'pause')}
      >
        {t(paused ? 'accounts.resume' : 'accounts.pause')}
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon={<ShieldCheck aria-hidden />} onSelect={() => onDialog('permissions')}>
        {t('accounts.permissions')}
      </MenuItem>
      <MenuItem icon={<Pencil aria-hidden />} onSelect={() => onDialog('rename')}>
        {t('accounts.rename')}
      </MenuItem>
      <MenuItem icon={<Activity aria-hidden />} onSelect={() => onDialog('activity')}>
        {t('accounts.activity')}
      </MenuItem>
      <MenuItem icon={<ListChecks aria-hidden />} onSelect={() => onDialog('audit')}>
        {t('accounts.audit')}
      </MenuItem>
      <MenuItem icon={<KeyRound aria-hidden />} onSelect={() => openConnect({ kind: 'reconnect', account })}>
        {t('accounts.reconnect')}
      </MenuItem>
      <MenuSeparator />
      <MenuItem danger icon={<Unplug aria-hidden />} onSelect={() => onDialog('disconnect')}>
        {t('accounts.disconnect')}
      </MenuItem>
    </Menu>
  );
}
