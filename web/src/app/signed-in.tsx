import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { Link, Outlet } from '@tanstack/react-router';
import { Activity, CalendarDays, Inbox, PenLine, Settings, Users, WifiOff } from 'lucide-react';
import { lazy, Suspense, useRef, useState } from 'react';
import { sessionQuery } from '@/shared/api/session';
import { useDialogs, type ComposeIntent } from '@/shared/dialogs';
import { openPerson } from '@/shared/person';
import { t, type MessageKey } from '@/shared/i18n/i18n';
import { useOnline } from '@/shared/lib/use-online';
import { Button } from '@/shared/ui/button';
import { Logo } from '@/shared/ui/logo';
import { useLiveEvents } from './live-events';
import { SearchBox } from './search-box';
import { useGlobalShortcuts } from './shortcuts';

// Loaded after the page is there: the menu brings the code that places it, the dialogs are seldom needed.
const UserMenu = lazy(async () => ({ default: (await import('./user-menu')).UserMenu }));
const ConnectDialog = lazy(async () => ({
  default: (await import('@/features/accounts/add-email-account-dialog')).AddEmailAccountDialog,
}));
const ComposeDialog = lazy(async () => ({
  default: (await import('@/features/compose/compose-dialog')).ComposeDialog,
}));
const OutboxDialog = lazy(async () => ({
  default: (await import('@/features/compose/outbox-dialog')).OutboxDialog,
}));
const OutboxTray = lazy(async () => ({
  default: (await import('@/features/compose/outbox-tray')).OutboxTray,
}));
const HelpDialog = lazy(async () => ({ default: (await import('./help-dialog')).HelpDialog }));

const places: {
  to: '/inbox' | '/calendar' | '/accounts' | '/activity' | '/settings';
  label: MessageKey;
  icon: typeof Inbox;
  admin?: boolean;
}[] = [
  { to: '/inbox', label: 'nav.inbox', icon: Inbox },
  { to: '/calendar', label: 'nav.calendar', icon: CalendarDays },
  { to: '/accounts', label: 'nav.accounts', icon: Users },
  { to: '/activity', label: 'nav.activity', icon: Activity, admin: true },
  { to: '/settings', label: 'nav.settings', icon: Settings },
];

/** The frame around every page for a signed-in person. */
export function SignedIn() {
  const { data: session } = useSuspenseQuery(sessionQuery);
  const main = useRef<HTMLDivElement>(null);
  const connect = useDialogs((state) => state.connect);
  const help = useDialogs((state) => state.help);
  const compose = useDialogs((state) => state.compose);
  const outbox = useDialogs((state) => state.outbox);
  const openCompose = useDialogs((state) => state.openCompose);
  const user = session.user?.id;
  const { interrupted } = useLiveEvents();
  useGlobalShortcuts();

  // Before anything below looks for drafts.
  useState(() => user && openPerson(user));

  const visible = places.filter((place) => !place.admin || session.user?.is_admin);
  return (
    <div className="flex h-full flex-col">
      <a
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
        className="sr-only z-60 rounded-lg bg-accent px-4 py-2 text-accent-ink focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        {t('app.skip')}
      </a>
      <header className="flex h-13 shrink-0 items-center gap-2 border-b border-line bg-bg px-3 md:gap-4">
        <Link to="/inbox" className="flex items-center gap-2.5 rounded-lg pe-1 font-semibold tracking-tight">
          <Logo />
          <span className="max-sm:sr-only">{t('app.name')}</span>
        </Link>
        <nav aria-label={t('app.nav')} className="hidden items-center gap-0.5 md:flex">
          {visible.map(({ to, label }) => (
            <Link
              key={to}
              to={to}
              className="rounded-lg px-3 py-1.5 text-base font-medium"
              activeProps={{ className: 'bg-accent-soft text-accent-soft-ink' }}
              inactiveProps={{ className: 'text-muted hover:bg-hover hover:text-ink' }}
            >
              {t(label)}
            </Link>
          ))}
        </nav>
        <div className="flex min-w-0 flex-1 justify-end">
          <SearchBox />
        </div>
        <Button look="primary" onClick={() => openCompose({ kind: 'new' })} className="max-sm:px-2.5">
          <PenLine aria-hidden className="size-4" />
          <span className="max-sm:sr-only">{t('nav.compose')}</span>
        </Button>
        <Suspense fallback={<span className="size-9" />}>
          {session.user && <UserMenu user={session.user} />}
        </Suspense>
      </header>
      <Banners interrupted={interrupted} version={session.version} />
      <div ref={main} id="content" tabIndex={-1} className="flex min-h-0 flex-1 flex-col outline-none">
        <Outlet />
      </div>
      <nav
        aria-label={t('app.navBottom')}
        className="grid shrink-0 auto-cols-fr grid-flow-col border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] md:hidden"
      >
        {visible.map(({ to, label, icon: Icon }) => (
          <Link
            key={to}
            to={to}
            className="flex min-h-13 flex-col items-center justify-center gap-0.5 text-2xs font-medium"
            activeProps={{ className: 'text-accent' }}
            inactiveProps={{ className: 'text-muted' }}
          >
            <Icon aria-hidden className="size-5" />
            {t(label)}
          </Link>
        ))}
      </nav>
      <Suspense fallback={null}>
        <OutboxTray />
        {compose && <ComposeDialog key={composeKey(compose)} />}
        {outbox && <OutboxDialog />}
        {connect && <ConnectDialog />}
        {help && <HelpDialog />}
      </Suspense>
    </div>
  );
}

/** Opening another message while one is open begins anew. */
function composeKey(intent: ComposeIntent): string {
  return intent.kind === 'draft' ? intent.id : intent.kind;
}

function Banners({ interrupted, version }: { interrupted: boolean; version: string }) {
  const online = useOnline();
  const first = useRef(version);
  // Asked for anew from time to time, so that a page left open for days learns of a new server.
  useQuery({ ...sessionQuery, refetchInterval: 10 * 60_000 });
  if (!online || interrupted) {
    return (
      <p role="status" className="flex items-center justify-center gap-2 bg-warn-soft px-4 py-1.5 text-sm">
        <WifiOff aria-hidden className="size-4 text-warn" />
        {t(online ? 'app.reconnecting' : 'app.offline')}
      </p>
    );
  }
  // eslint-disable-next-line react-hooks/refs -- the version this page was loaded with never changes while it is open
  if (version !== first.current) {
    return (
      <p
        role="status"
        className="flex items-center justify-center gap-3 bg-accent-soft px-4 py-1.5 text-sm text-accent-soft-ink"
      >
        {t('app.newVersion')}
        <Button size="small" onClick={() => window.location.reload()}>
          {t('app.reload')}
        </Button>
      </p>
    );
  }
  return null;
}
