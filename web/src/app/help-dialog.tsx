import { useDialogs } from '@/shared/dialogs';
import { t, type MessageKey } from '@/shared/i18n/i18n';
import { usePreferences } from '@/shared/preferences';
import { Dialog } from '@/shared/ui/dialog';
import { Notice } from '@/shared/ui/notice';

const rows: { keys: string[]; what: MessageKey }[] = [
  { keys: ['j'], what: 'help.next' },
  { keys: ['k'], what: 'help.previous' },
  { keys: ['o'], what: 'help.open' },
  { keys: ['u'], what: 'help.close' },
  { keys: ['c'], what: 'help.compose' },
  { keys: ['r'], what: 'help.reply' },
  { keys: ['a'], what: 'help.replyAll' },
  { keys: ['f'], what: 'help.forward' },
  { keys: ['/'], what: 'help.search' },
  { keys: ['g', 'i'], what: 'help.inbox' },
  { keys: ['g', 'c'], what: 'help.calendar' },
  { keys: ['g', 'a'], what: 'help.accounts' },
  { keys: ['?'], what: 'help.help' },
];

export function HelpDialog() {
  const open = useDialogs((state) => state.help);
  const setHelp = useDialogs((state) => state.setHelp);
  const enabled = usePreferences((state) => state.shortcuts);
  return (
    <Dialog open={open} onClose={() => setHelp(false)} title={t('help.title')}>
      {!enabled && (
        <Notice tone="info" className="mb-3">
          {t('help.off')}
        </Notice>
      )}
      <dl className="divide-y divide-line">
        {rows.map(({ keys, what }) => (
          <div key={what} className="flex items-center justify-between gap-4 py-2">
            <dt>{t(what)}</dt>
            <dd className="flex items-center gap-1.5 text-sm text-muted">
              {keys.map((key, index) => (
                <span key={key} className="flex items-center gap-1.5">
                  {index > 0 && t('help.then')}
                  <kbd className="grid h-6 min-w-6 place-items-center rounded-md border border-line bg-sunken px-1.5 font-mono text-xs text-ink">
                    {key}
                  </kbd>
                </span>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
