import { EmailConnectionsManager } from '@/features/accounts/email-connections-manager';

export function AccountsRoute() {
  return <EmailConnectionsManager />;
}
