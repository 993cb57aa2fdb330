import { useSuspenseQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { ActivityPage } from '@/features/activity/activity-page';
import { sessionQuery } from '@/shared/api/session';

export function ActivityRoute() {
  const { state } = useSearch({ from: '/signed-in/activity' });
  const { data: session } = useSuspenseQuery(sessionQuery);
  const navigate = useNavigate();
  return (
    <ActivityPage
      admin={session.user?.is_admin ?? false}
      state={state}
      onState={(next) => void navigate({ to: '/activity', search: { state: next }, replace: true })}
    />
  );
}
