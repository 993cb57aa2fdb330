import { useSearch } from '@tanstack/react-router';
import { EmailConnectionsManager } from '@/features/accounts/email-connections-manager';

export function AccountsRoute() {
  const { admin_consent: consent } = useSearch({ from: '/signed-in/accounts' });
  return <EmailConnectionsManager approved={consent === 'granted'} />;
}
