import '@/shared/i18n/compose';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { accountsQuery, type ConnectedAccount } from '@/shared/api/accounts';
import { useDialogs } from '@/shared/dialogs';
import { rememberOpenDraft, useDrafts, type Draft } from '@/shared/drafts';
import { t } from '@/shared/i18n/i18n';
import { Dialog } from '@/shared/ui/dialog';
import { Notice } from '@/shared/ui/notice';
import { ProblemNotice } from '@/shared/ui/problem-notice';
import { Spinner } from '@/shared/ui/spinner';
import { ComposeForm } from './compose-form';
import { draftOf, emptyDraft } from './draft-of';
import { sendingAccounts } from './sender-field';

/** Writing a message: a dialog, on a phone the whole screen. Closing it keeps what was written. */
export function ComposeDialog() {
  const accounts = useQuery(accountsQuery);
  const close = useDialogs((state) => state.closeCompose);
  const intent = useDialogs((state) => state.compose);
  const title =
    intent?.kind === 'reply'
      ? 'compose.reply'
      : intent?.kind === 'forward'
        ? 'compose.forward'
        : 'compose.new';
  const leave = () => {
    rememberOpenDraft(null);
    close();
  };
  return (
    <Dialog open wide full onClose={leave} title={t(title)}>
      {accounts.data ? (
        <WithDraft accounts={accounts.data} onLeave={leave} />
      ) : accounts.isError ? (
        <ProblemNotice error={accounts.error} />
      ) : (
        <Spinner className="mx-auto my-8 size-5 text-muted" />
      )}
    </Dialog>
  );
}

function WithDraft({ accounts, onLeave }: { accounts: ConnectedAccount[]; onLeave: () => void }) {
  const intent = useDialogs((state) => state.compose);
  const drafts = useDrafts((state) => state.drafts);
  const senders = useMemo(() => sendingAccounts(accounts), [accounts]);
  // What the dialog was opened with; from then on the form owns the draft.
  const [initial] = useState<Draft>(() => {
    const draft =
      intent?.kind === 'draft'
        ? (drafts.find((one) => one.id === intent.id) ?? emptyDraft())
        : draftOf(intent ?? { kind: 'new' }, accounts);
    return draft.account ? draft : { ...draft, account: senders[0]?.id ?? null };
  });
  // The server keeps files for a day; what is gone has to be attached again.
  const [now] = useState(() => Date.now());
  const files = initial.files.filter((file) => file.expires > now);
  const lost = initial.files.filter((file) => file.expires <= now);
  return (
    <>
      {lost.length > 0 && (
        <Notice tone="warn" className="mb-2">
          {t('compose.filesExpired', { names: lost.map((file) => file.name).join(', ') })}
        </Notice>
      )}
      <ComposeForm
        initial={lost.length > 0 ? { ...initial, files } : initial}
        accounts={accounts}
        senders={senders}
        onLeave={onLeave}
      />
    </>
  );
}
