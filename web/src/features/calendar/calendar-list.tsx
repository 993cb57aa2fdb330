import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { ConnectedAccount } from '@/shared/api/accounts';
import { calendarsQuery, selectCalendar, type Calendar } from '@/shared/api/calendars';
import { problemFrom } from '@/shared/api/problem';
import { say } from '@/shared/announce';
import { problemWords, providerName } from '@/shared/error-words';
import { t } from '@/shared/i18n/i18n';
import { Rich } from '@/shared/i18n/rich';
import { Button } from '@/shared/ui/button';
import { AlertDialog } from '@/shared/ui/dialog';
import { colorOf } from './event-chip';

interface CalendarListProps {
  calendars: Calendar[];
  accounts: ConnectedAccount[];
}

/** Which calendars are kept here. Taking one away asks first, because its events go with it. */
export function CalendarList({ calendars, accounts }: CalendarListProps) {
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState<Calendar | null>(null);
  const safe = useRef<HTMLButtonElement>(null);
  const select = useMutation({
    mutationFn: ({ calendar, selected }: { calendar: Calendar; selected: boolean }) =>
      selectCalendar(calendar.id, selected),
    onSuccess: (changed) => {
      queryClient.setQueryData<Calendar[]>(calendarsQuery.queryKey, (old) =>
        old?.map((other) => (other.id === changed.id ? changed : other)),
      );
      void queryClient.invalidateQueries({ queryKey: ['calendar-events'] });
      setAsking(null);
    },
    onError: (error) => say(problemWords(problemFrom(error).code).title, 'bad'),
  });
  const account = asking && accounts.find((one) => one.id === asking.account_id);
  return (
    <>
      {accounts
        .filter((one) => calendars.some((calendar) => calendar.account_id === one.id))
        .map((one) => (
          <fieldset key={one.id} className="mb-4 min-w-0">
            <legend className="max-w-full truncate px-1 pb-1 text-xs font-medium text-muted">
              <bdi>{one.display_name ?? one.email}</bdi>
            </legend>
            {calendars
              .filter((calendar) => calendar.account_id === one.id)
              .map((calendar) => (
                <label
                  key={calendar.id}
                  className="flex min-h-8 items-center gap-2.5 rounded-lg px-1 hover:bg-hover pointer-coarse:min-h-11"
                >
                  <input
                    type="checkbox"
                    checked={calendar.selected}
                    disabled={select.isPending}
                    onChange={(event) => {
                      if (event.target.checked) select.mutate({ calendar, selected: true });
                      else setAsking(calendar);
                    }}
                    className="size-4 shrink-0 accent-accent"
                  />
                  <span
                    aria-hidden
                    className="size-3 shrink-0 rounded-full"
                    style={{ background: colorOf(calendar) }}
                  />
                  <bdi className="min-w-0 flex-1 truncate">{calendar.name}</bdi>
                </label>
              ))}
          </fieldset>
        ))}
      {asking && (
        <AlertDialog
          open
          safe={safe}
          onClose={() => setAsking(null)}
          title={<Rich k="calendar.deselect" values={{ name: <bdi>{asking.name}</bdi> }} />}
          description={t('calendar.deselectBody', {
            count: asking.event_count,
            provider: providerName(account?.provider ?? null),
          })}
          footer={
            <>
              <Button ref={safe} look="quiet" onClick={() => setAsking(null)}>
                {t('common.cancel')}
              </Button>
              <Button
                look="danger"
                busy={select.isPending}
                onClick={() => select.mutate({ calendar: asking, selected: false })}
              >
                {t('calendar.deselectConfirm')}
              </Button>
            </>
          }
        >
          {null}
        </AlertDialog>
      )}
    </>
  );
}
