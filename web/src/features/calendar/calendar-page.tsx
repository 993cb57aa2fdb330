import '@/shared/i18n/calendar';
import { useQuery } from '@tanstack/react-query';
import { CalendarDays, CalendarX2, ChevronLeft, ChevronRight, ListFilter } from 'lucide-react';
import { useMemo, useState, type ReactNode } from 'react';
import { accountsQuery, type ConnectedAccount } from '@/shared/api/accounts';
import { calendarsQuery, eventsQuery, type CalendarEvent } from '@/shared/api/calendars';
import { grantNow, useDialogs } from '@/shared/dialogs';
import { locale, t } from '@/shared/i18n/i18n';
import { Rich } from '@/shared/i18n/rich';
import { cn } from '@/shared/lib/cn';
import { temporal } from '@/shared/lib/temporal';
import { PageTitle } from '@/shared/page-title';
import { Button } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { Empty } from '@/shared/ui/empty';
import { Notice } from '@/shared/ui/notice';
import { ProblemNotice } from '@/shared/ui/problem-notice';
import { Spinner } from '@/shared/ui/spinner';
import { Agenda } from './agenda';
import { CalendarList } from './calendar-list';
import { EventDialog } from './event-dialog';
import { daysFrom, firstDayOfWeek, startOfWeek } from './layout';
import { WeekGrid } from './week-grid';
import { datesText, zoneText } from './words';

export type View = 'week' | 'agenda';

const agendaDays = 30;

interface CalendarPageProps {
  /** Null: as fits the screen. */
  view: View | null;
  /** A day of the shown range; null for today. */
  date: string | null;
  onGo: (change: { view?: View; date?: string | null }) => void;
}

function narrow(): boolean {
  return window.matchMedia('(max-width: 767px)').matches;
}

function parseDate(text: string | null) {
  try {
    return text ? temporal().PlainDate.from(text) : null;
  } catch {
    return null;
  }
}

/** The calendars of all accounts: a week, or an agenda. */
export function CalendarPage({ view, date, onGo }: CalendarPageProps) {
  const accounts = useQuery(accountsQuery);
  const calendars = useQuery(calendarsQuery);
  const [small] = useState(narrow);
  const [listOpen, setListOpen] = useState(false);
  const [open, setOpen] = useState<CalendarEvent | null>(null);
  const shown = view ?? (small ? 'agenda' : 'week');
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const day = (parseDate(date) ?? temporal().Now.plainDateISO(timeZone)).toString();

  const days = useMemo(() => {
    const chosen = temporal().PlainDate.from(day);
    return shown === 'week'
      ? daysFrom(startOfWeek(chosen, firstDayOfWeek(locale())), 7, timeZone)
      : daysFrom(chosen, agendaDays, timeZone);
  }, [day, shown, timeZone]);
  const first = days[0]!;
  const last = days.at(-1)!;
  const events = useQuery(
    eventsQuery({
      from: new Date(first.start).toISOString(),
      to: new Date(last.end).toISOString(),
      timeZone,
    }),
  );
  const byId = useMemo(
    () => new Map((calendars.data ?? []).map((calendar) => [calendar.id, calendar])),
    [calendars.data],
  );

  const step = (direction: 1 | -1) =>
    onGo({
      date: temporal()
        .PlainDate.from(day)
        .add({ days: direction * days.length })
        .toString(),
    });
  const title = datesText(first.date, last.date, { day: 'numeric', month: 'long', year: 'numeric' });
  const all = accounts.data ?? [];
  const without = all.filter(lacksCalendar);
  const nothingAllowed = all.length > 0 && without.length === all.length;

  if (accounts.data?.length === 0) return <NoAccount />;
  return (
    <main className="flex min-h-0 flex-1">
      <PageTitle title={t('nav.calendar')} />
      <h1 className="sr-only">{t('nav.calendar')}</h1>
      {!nothingAllowed && (
        <aside
          aria-label={t('calendar.calendars')}
          className="thin-scroll hidden w-60 shrink-0 overflow-y-auto px-3 py-3 lg:block"
        >
          <CalendarList calendars={calendars.data ?? []} accounts={all} />
        </aside>
      )}
      <div className="flex min-h-0 min-w-0 flex-1 flex-col bg-bg md:border-s md:border-line">
        <div className="flex flex-wrap items-center gap-2 border-b border-line px-3 py-2">
          <Button size="small" onClick={() => onGo({ date: null })}>
            {t('calendar.today')}
          </Button>
          <div className="flex">
            <Button look="quiet" size="icon" aria-label={t('calendar.earlier')} onClick={() => step(-1)}>
              <ChevronLeft aria-hidden className="size-5 rtl:rotate-180" />
            </Button>
            <Button look="quiet" size="icon" aria-label={t('calendar.later')} onClick={() => step(1)}>
              <ChevronRight aria-hidden className="size-5 rtl:rotate-180" />
            </Button>
          </div>
          <h2
            aria-live="polite"
            className="min-w-0 flex-1 truncate font-semibold max-sm:basis-full max-sm:order-last"
          >
            {title}
          </h2>
          <p className="text-xs text-muted" title={timeZone}>
            {t('calendar.zone', { zone: zoneText(timeZone, first.start) })}
          </p>
          <div role="group" aria-label={t('calendar.view')} className="flex rounded-lg bg-sunken p-0.5">
            {(['week', 'agenda'] as const).map((choice) => (
              <button
                key={choice}
                type="button"
                aria-pressed={shown === choice}
                onClick={() => onGo({ view: choice })}
                className={cn(
                  'min-h-7 rounded-md px-2.5 text-sm font-medium pointer-coarse:min-h-11',
                  shown === choice ? 'bg-raised text-ink shadow-card' : 'text-muted hover:text-ink',
                )}
              >
                {t(`calendar.view.${choice}`)}
              </button>
            ))}
          </div>
          {!nothingAllowed && (
            <Button
              look="quiet"
              size="icon"
              className="lg:hidden"
              aria-label={t('calendar.calendars')}
              onClick={() => setListOpen(true)}
            >
              <ListFilter aria-hidden className="size-5" />
            </Button>
          )}
        </div>
        {nothingAllowed ? (
          <NotAllowed accounts={without} />
        ) : (
          <>
            <Notes accounts={without} importing={calendars.data?.some(isImporting) ?? false} />
            {events.isError && !events.data ? (
              <div className="p-4">
                <ProblemNotice
                  error={events.error}
                  actions={
                    <Button size="small" busy={events.isFetching} onClick={() => void events.refetch()}>
                      {t('common.retry')}
                    </Button>
                  }
                />
              </div>
            ) : !events.data ? (
              <div role="status" className="grid flex-1 place-items-center text-muted">
                <Spinner className="size-6" />
                <span className="sr-only">{t('common.loading')}</span>
              </div>
            ) : shown === 'agenda' && events.data.length === 0 ? (
              <Empty icon={<CalendarX2 aria-hidden />} title={t('calendar.none')}>
                {title}
              </Empty>
            ) : (
              <>
                {shown === 'week' && events.data.length === 0 && (
                  <p role="status" className="border-b border-line px-4 py-1.5 text-sm text-muted">
                    {t('calendar.none')}
                  </p>
                )}
                {shown === 'week' ? (
                  <WeekGrid
                    days={days}
                    events={events.data}
                    calendars={byId}
                    timeZone={timeZone}
                    onOpen={setOpen}
                  />
                ) : (
                  <Agenda
                    days={days}
                    events={events.data}
                    calendars={byId}
                    timeZone={timeZone}
                    onOpen={setOpen}
                  />
                )}
              </>
            )}
          </>
        )}
      </div>
      {listOpen && (
        <Dialog open onClose={() => setListOpen(false)} title={t('calendar.calendars')}>
          <CalendarList calendars={calendars.data ?? []} accounts={all} />
        </Dialog>
      )}
      {open && (
        <EventDialog
          event={open}
          calendar={byId.get(open.calendar_id)}
          account={all.find((account) => account.id === open.account_id)}
          timeZone={timeZone}
          onClose={() => setOpen(null)}
        />
      )}
    </main>
  );
}

function lacksCalendar(account: ConnectedAccount): boolean {
  return account.capabilities.read_calendar.status !== 'ok';
}

function isImporting(calendar: { selected: boolean; last_synced_at: string | null }): boolean {
  return calendar.selected && calendar.last_synced_at === null;
}

/** What is missing from the view, and why; the rest is shown all the same. */
function Notes({ accounts, importing }: { accounts: ConnectedAccount[]; importing: boolean }) {
  const asked = accounts.filter((account) => account.capabilities.read_calendar.status === 'missing_scope');
  if (asked.length === 0 && !importing) return null;
  return (
    <div className="flex flex-col gap-2 border-b border-line p-3">
      {importing && (
        <p role="status" className="flex items-center gap-2 text-sm text-muted">
          <Spinner />
          {t('calendar.importing')}
        </p>
      )}
      {asked.map((account) => (
        <Notice
          key={account.id}
          tone="warn"
          actions={
            <Button size="small" onClick={() => grantNow(account, ['read_calendar'])}>
              {t('calendar.grant')}
            </Button>
          }
        >
          <Rich k="calendar.notAllowed" values={{ email: <bdi>{account.email}</bdi> }} />
        </Notice>
      ))}
    </div>
  );
}

function NotAllowed({ accounts }: { accounts: ConnectedAccount[] }) {
  return (
    <Centered
      title={t('calendar.nothingAllowed')}
      actions={accounts.slice(0, 5).map((account) => (
        <Button key={account.id} look="primary" onClick={() => grantNow(account, ['read_calendar'])}>
          <Rich k="calendar.grantFor" values={{ email: <bdi>{account.email}</bdi> }} />
        </Button>
      ))}
    >
      {t('calendar.nothingAllowedBody')}
    </Centered>
  );
}

function NoAccount() {
  const openConnect = useDialogs((state) => state.openConnect);
  return (
    <main className="grid min-h-0 flex-1 place-items-center overflow-y-auto">
      <PageTitle title={t('nav.calendar')} />
      <h1 className="sr-only">{t('nav.calendar')}</h1>
      <Centered
        title={t('calendar.noAccount')}
        actions={
          <Button look="primary" onClick={() => openConnect({ kind: 'add' })}>
            {t('calendar.connect')}
          </Button>
        }
      >
        {t('calendar.noAccountBody')}
      </Centered>
    </main>
  );
}

function Centered({ title, actions, children }: { title: string; actions: ReactNode; children: ReactNode }) {
  return (
    <div className="grid min-h-0 flex-1 place-items-center overflow-y-auto">
      <Empty icon={<CalendarDays aria-hidden />} title={title} actions={actions}>
        {children}
      </Empty>
    </div>
  );
}
