import { useNavigate, useSearch } from '@tanstack/react-router';
import { InboxPage } from '@/features/inbox/inbox-page';

export function InboxRoute() {
  const search = useSearch({ from: '/signed-in/inbox' });
  const navigate = useNavigate();
  return (
    <InboxPage
      place={search}
      onGo={(place, options) =>
        void navigate({ to: '/inbox', search: place, replace: options?.replace ?? false })
      }
    />
  );
}
