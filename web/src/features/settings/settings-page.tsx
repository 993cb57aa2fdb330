import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Laptop, Monitor, Moon, Sun } from 'lucide-react';
import { ToggleGroup } from 'radix-ui';
import type { ReactNode } from 'react';
import { endSession, logout, sessionQuery, sessionsQuery, type SessionInfo } from '@/shared/api/session';
import { problemFrom } from '@/shared/api/problem';
import { say } from '@/shared/announce';
import { useDialogs } from '@/shared/dialogs';
import { forgetPerson } from '@/shared/person';
import { problemWords } from '@/shared/error-words';
import { t } from '@/shared/i18n/i18n';
import { browserOf } from '@/shared/lib/browser-name';
import { ago, fullTime, useNow } from '@/shared/lib/time';
import { PageTitle } from '@/shared/page-title';
import { usePreferences, type Theme } from '@/shared/preferences';
import { Button } from '@/shared/ui/button';
import { ProblemNotice } from '@/shared/ui/problem-notice';
import { Spinner } from '@/shared/ui/spinner';
import { SwitchRow } from '@/shared/ui/switch';

const themes: { value: Theme; icon: typeof Sun }[] = [
  { value: 'system', icon: Monitor },
  { value: 'light', icon: Sun },
  { value: 'dark', icon: Moon },
];

export function SettingsPage() {
  const { data: session } = useSuspenseQuery(sessionQuery);
  const { theme, setTheme, shortcuts, setShortcuts } = usePreferences();
  const setHelp = useDialogs((state) => state.setHelp);
  return (
    <main className="thin-scroll min-h-0 flex-1 overflow-y-auto">
      <PageTitle title={t('settings.title')} />
      <div className="mx-auto flex max-w-2xl flex-col gap-5 px-4 py-6 md:py-9">
        <h1 className="text-xl font-semibold tracking-tight">{t('settings.title')}</h1>
        <Section title={t('settings.appearance')}>
          <ToggleGroup.Root
            type="single"
            value={theme}
            onValueChange={(value) => value && setTheme(value as Theme)}
            aria-label={t('settings.appearance')}
            className="mt-3 grid grid-cols-3 gap-1 rounded-xl bg-sunken p-1"
          >
            {themes.map(({ value, icon: Icon }) => (
              <ToggleGroup.Item
                key={value}
                value={value}
                className="flex min-h-9 items-center justify-center gap-2 rounded-lg px-2 text-sm font-medium text-muted hover:text-ink data-[state=on]:bg-raised data-[state=on]:text-ink data-[state=on]:shadow-card pointer-coarse:min-h-11"
              >
                <Icon aria-hidden className="size-4 shrink-0" />
                {t(`settings.theme.${value}`)}
              </ToggleGroup.Item>
            ))}
          </ToggleGroup.Root>
        </Section>
        <Section title={t('settings.keyboard')}>
          <SwitchRow
            label={t('settings.shortcuts')}
            help={t('settings.shortcutsHelp')}
            checked={shortcuts}
            onChange={setShortcuts}
          />
          <Button size="small" onClick={() => setHelp(true)}>
            {t('settings.showShortcuts')}
          </Button>
        </Section>
        <Devices />
        <Section title={t('settings.about')}>
          <p className="mt-2 text-muted">{t('settings.version', { version: session.version })}</p>
        </Section>
      </div>
    </main>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="rounded-2xl border border-line bg-surface p-5 shadow-card">
      <h2 className="text-base font-semibold">{title}</h2>
      {children}
    </section>
  );
}

function Devices() {
  const sessions = useQuery(sessionsQuery);
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const everywhere = useMutation({
    mutationFn: () => logout(true),
    onSuccess: async () => {
      queryClient.clear();
      forgetPerson();
      await queryClient.fetchQuery(sessionQuery).catch(() => undefined);
      await navigate({ to: '/login', search: { ended: 'signed_out' }, replace: true });
    },
    onError: (error) => say(problemWords(problemFrom(error).code).title, 'bad'),
  });
  return (
    <Section title={t('settings.devices')}>
      {sessions.isPending && <Spinner className="mt-3 size-4 text-muted" />}
      {sessions.isError && <ProblemNotice error={sessions.error} className="mt-3" />}
      <ul className="mt-1 divide-y divide-line">
        {sessions.data?.items.map((session) => (
          <Device key={session.id} session={session} />
        ))}
      </ul>
      <Button size="small" className="mt-2" busy={everywhere.isPending} onClick={() => everywhere.mutate()}>
        {t('settings.signOutEverywhere')}
      </Button>
    </Section>
  );
}

function Device({ session }: { session: SessionInfo }) {
  const now = useNow();
  const queryClient = useQueryClient();
  const end = useMutation({
    mutationFn: () => endSession(session.id),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: sessionsQuery.queryKey }),
    onError: (error) => say(problemWords(problemFrom(error).code).title, 'bad'),
  });
  const known = session.user_agent ? browserOf(session.user_agent) : undefined;
  const name = known
    ? t('settings.browserOnSystem', known)
    : (session.user_agent ?? t('settings.unknownDevice'));
  return (
    <li className="flex items-center gap-3 py-3">
      <Laptop aria-hidden className="size-5 shrink-0 text-muted" />
      <div className="min-w-0 flex-1">
        <p className="line-clamp-2 text-sm break-words" title={session.user_agent ?? undefined}>
          <bdi>{name}</bdi>
        </p>
        <p className="text-sm text-muted" title={fullTime(session.last_seen_at)}>
          {session.current
            ? t('settings.thisDevice')
            : t('settings.lastSeen', { ago: ago(session.last_seen_at, now) })}
        </p>
      </div>
      {!session.current && (
        <Button
          size="small"
          busy={end.isPending}
          aria-label={t('settings.endSessionOf', { device: name })}
          onClick={() => end.mutate()}
        >
          {t('settings.endSession')}
        </Button>
      )}
    </li>
  );
}
