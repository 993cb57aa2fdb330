import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { CircleUserRound, Keyboard, LogOut, Monitor, Moon, Send, Settings, Sun } from 'lucide-react';
import { logout, sessionQuery, type Session } from '@/shared/api/session';
import { problemFrom } from '@/shared/api/problem';
import { say } from '@/shared/announce';
import { useDialogs } from '@/shared/dialogs';
import { forgetPerson } from '@/shared/person';
import { problemWords } from '@/shared/error-words';
import { t } from '@/shared/i18n/i18n';
import { Rich } from '@/shared/i18n/rich';
import { usePreferences, type Theme } from '@/shared/preferences';
import { Button } from '@/shared/ui/button';
import { Menu, MenuHeading, MenuItem, MenuSeparator } from '@/shared/ui/menu';

const themes: { theme: Theme; icon: typeof Sun }[] = [
  { theme: 'system', icon: Monitor },
  { theme: 'light', icon: Sun },
  { theme: 'dark', icon: Moon },
];

export function UserMenu({ user }: { user: NonNullable<Session['user']> }) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const setHelp = useDialogs((state) => state.setHelp);
  const setOutbox = useDialogs((state) => state.setOutbox);
  const { theme, setTheme } = usePreferences();
  const current = themes.findIndex((choice) => choice.theme === theme);
  const following = themes[(current + 1) % themes.length]!;
  const ThemeIcon = themes[current]!.icon;

  const signOut = useMutation({
    mutationFn: () => logout(false),
    onSuccess: async () => {
      // Nothing of this person stays in memory.
      queryClient.clear();
      forgetPerson();
      await queryClient.fetchQuery(sessionQuery).catch(() => undefined);
      await navigate({ to: '/login', search: { ended: 'signed_out' }, replace: true });
    },
    onError: (error) => say(problemWords(problemFrom(error).code).title, 'bad'),
  });

  return (
    <Menu
      label={t('app.userMenu')}
      trigger={
        <Button look="quiet" size="icon" aria-label={t('app.userMenu')}>
          <CircleUserRound aria-hidden className="size-5.5" />
        </Button>
      }
    >
      <MenuHeading>
        <Rich
          k="app.signedInAs"
          values={{ email: <bdi className="block font-medium text-ink">{user.email}</bdi> }}
        />
      </MenuHeading>
      <MenuSeparator />
      <MenuItem
        icon={<ThemeIcon aria-hidden />}
        onSelect={(event) => {
          event.preventDefault();
          setTheme(following.theme);
        }}
      >
        {t('settings.appearance')}
        <span className="ms-auto ps-4 text-sm text-muted">{t(`settings.theme.${theme}`)}</span>
      </MenuItem>
      <MenuItem icon={<Send aria-hidden />} onSelect={() => setOutbox(true)}>
        {t('outbox.title')}
      </MenuItem>
      <MenuItem icon={<Keyboard aria-hidden />} onSelect={() => setHelp(true)}>
        {t('help.title')}
      </MenuItem>
      <MenuItem icon={<Settings aria-hidden />} onSelect={() => void navigate({ to: '/settings' })}>
        {t('nav.settings')}
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon={<LogOut aria-hidden />} onSelect={() => signOut.mutate()}>
        {t('app.signOut')}
      </MenuItem>
    </Menu>
  );
}
