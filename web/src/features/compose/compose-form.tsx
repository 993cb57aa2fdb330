import { useMutation, useQueryClient } from '@tanstack/react-query';
import { CheckCheck, Trash2, TriangleAlert } from 'lucide-react';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import type { ConnectedAccount } from '@/shared/api/accounts';
import { outboxQuery, sendMessage, type Outgoing } from '@/shared/api/outbox';
import { ApiError } from '@/shared/api/problem';
import { grantNow } from '@/shared/dialogs';
import { rememberOpenDraft, removeDraft, saveDraft, useDrafts, type Draft } from '@/shared/drafts';
import { providerName } from '@/shared/error-words';
import { t, type MessageKey } from '@/shared/i18n/i18n';
import { Rich } from '@/shared/i18n/rich';
import { useOnline } from '@/shared/lib/use-online';
import { Button } from '@/shared/ui/button';
import { Notice } from '@/shared/ui/notice';
import { ProblemNotice } from '@/shared/ui/problem-notice';
import { isAddress } from './addresses';
import { AttachmentField } from './attachment-field';
import { isEmpty } from './draft-of';
import { htmlOf } from './html-of';
import { RecipientField } from './recipient-field';
import { SenderField } from './sender-field';
import { forgetUpload, useUploads } from './use-uploads';

/** Seconds in which a message can be taken back. */
const undoSeconds = 10;
const saveAfter = 300;

interface ComposeFormProps {
  initial: Draft;
  accounts: ConnectedAccount[];
  senders: ConnectedAccount[];
  onLeave: () => void;
}

/** Everything of one message. It saves itself while it is written and stays until the server says that it was sent. */
export function ComposeForm({ initial, accounts, senders, onLeave }: ComposeFormProps) {
  const queryClient = useQueryClient();
  const online = useOnline();
  const [draft, setDraft] = useState(initial);
  const [copies, setCopies] = useState(initial.cc.length + initial.bcc.length > 0);
  const [missing, setMissing] = useState<MessageKey | null>(null);
  const latest = useRef(initial);
  const changed = useRef(false);
  const over = useRef(false);

  const change = (part: Partial<Draft>) => {
    changed.current = true;
    latest.current = { ...latest.current, ...part };
    setDraft(latest.current);
    setMissing(null);
  };

  const save = () => {
    if (!changed.current || over.current) return;
    changed.current = false;
    if (isEmpty(latest.current)) return;
    saveDraft(latest.current);
    rememberOpenDraft(latest.current.id);
  };

  useEffect(() => {
    const timer = setTimeout(save, saveAfter);
    return () => clearTimeout(timer);
  }, [draft]);
  useEffect(() => {
    // Leaving the page or the dialog must not lose the last words.
    window.addEventListener('pagehide', save);
    return () => {
      window.removeEventListener('pagehide', save);
      save();
      rememberOpenDraft(null);
    };
  }, []);

  // What was begun before any account could send goes out from the first that can.
  const sender = draft.account ?? senders[0]?.id ?? null;
  const account = accounts.find((one) => one.id === sender);
  const maySend = senders.some((one) => one.id === sender);

  const uploads = useUploads(draft.files, (file) => change({ files: [...latest.current.files, file] }));

  const send = useMutation({
    mutationFn: () => {
      const { from, to, cc, bcc, subject, text, files, replyTo, forwardOf, key } = latest.current;
      // It is on the way from now on: whatever happens to this page, the draft is there.
      changed.current = true;
      save();
      return sendMessage(
        {
          account: sender ?? '',
          ...(from ? { from } : {}),
          to,
          cc,
          bcc,
          subject,
          text,
          html: htmlOf(text),
          ...(replyTo ? { reply_to_message: replyTo } : {}),
          ...(forwardOf ? { forward_of_message: forwardOf } : {}),
          attachments: files.map((file) => ({ upload_id: file.id })),
          send_after_seconds: undoSeconds,
        },
        key,
      );
    },
    onSuccess: (entry) => {
      over.current = true;
      saveDraft({ ...latest.current, outbox: entry.id });
      queryClient.setQueryData<Outgoing[]>(outboxQuery.queryKey, (old) => [
        entry,
        ...(old ?? []).filter((other) => other.id !== entry.id),
      ]);
      onLeave();
    },
  });

  const trySend = () => {
    if (send.isPending || !maySend || !online) return;
    const everybody = [...draft.to, ...draft.cc, ...draft.bcc];
    if (everybody.length === 0) setMissing('compose.noRecipient');
    else if (!everybody.every((one) => isAddress(one.address))) setMissing('compose.fixRecipients');
    else if (uploads.running.some((one) => !one.problem)) setMissing('compose.stillUploading');
    else send.mutate();
  };
  const discard = () => {
    over.current = true;
    removeDraft(draft.id);
    draft.files.forEach((file) => forgetUpload(file.id));
    onLeave();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.metaKey || event.ctrlKey)) return;
    event.preventDefault();
    // What still stands in a recipient field becomes a recipient first.
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    setTimeout(() => sendLatest.current());
  };
  const sendLatest = useRef(trySend);
  useEffect(() => {
    sendLatest.current = trySend;
  });

  const choices = account && !maySend ? [account, ...senders] : senders;
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- a shortcut for the button below
    <form
      noValidate
      onKeyDown={onKeyDown}
      onSubmit={(event) => {
        event.preventDefault();
        trySend();
      }}
      className="flex min-h-0 flex-1 flex-col"
    >
      {choices.length > 0 && (
        <SenderField
          accounts={choices}
          account={sender}
          from={draft.from}
          onChange={(next, from) => change({ account: next, from })}
        />
      )}
      {!maySend && <MayNotSend account={account ?? accounts[0]} />}
      <RecipientField
        label={t('message.toLabel')}
        value={draft.to}
        focusFirst={draft.to.length === 0}
        onChange={(to) => change({ to })}
      />
      {copies ? (
        <>
          <RecipientField label={t('message.cc')} value={draft.cc} onChange={(cc) => change({ cc })} />
          <RecipientField label={t('message.bcc')} value={draft.bcc} onChange={(bcc) => change({ bcc })} />
        </>
      ) : (
        <div className="flex justify-end pt-1">
          <Button look="quiet" size="small" onClick={() => setCopies(true)}>
            {t('compose.addCopies')}
          </Button>
        </div>
      )}
      <input
        type="text"
        aria-label={t('compose.subject')}
        placeholder={t('compose.subject')}
        maxLength={900}
        autoComplete="off"
        value={draft.subject}
        onChange={(event) => change({ subject: event.target.value })}
        className="h-10 w-full border-b border-line bg-transparent px-1 font-medium outline-offset-0 placeholder:font-normal placeholder:text-muted pointer-coarse:h-11"
      />
      <Body value={draft.text} focus={draft.to.length > 0} onChange={(text) => change({ text })} />
      <AttachmentField
        files={draft.files}
        running={uploads.running}
        provider={account?.provider ?? null}
        onAdd={uploads.add}
        onCancel={uploads.cancel}
        onRemove={(file) => {
          forgetUpload(file.id);
          change({ files: draft.files.filter((other) => other.id !== file.id) });
        }}
      />
      {missing && (
        <Notice tone="warn" role="alert" className="mt-3">
          {t(missing)}
        </Notice>
      )}
      {send.isError && <NotSent error={send.error} account={account} />}
      <div className="mt-4 flex flex-wrap items-center gap-2">
        <Button look="primary" type="submit" busy={send.isPending} disabled={!maySend || !online}>
          {t('compose.send')}
        </Button>
        <SaveState draft={draft} online={online} />
        <Button look="quiet" className="ms-auto" onClick={discard}>
          <Trash2 aria-hidden className="size-4" />
          {t('compose.discard')}
        </Button>
      </div>
    </form>
  );
}

function Body({
  value,
  focus,
  onChange,
}: {
  value: string;
  focus: boolean;
  onChange: (text: string) => void;
}) {
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    // An answer begins above what it quotes.
    if (focus) area.current?.setSelectionRange(0, 0);
  }, [focus]);
  return (
    <textarea
      ref={area}
      aria-label={t('compose.body')}
      dir="auto"
      // eslint-disable-next-line jsx-a11y/no-autofocus -- the dialog was opened to write
      autoFocus={focus}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      className="thin-scroll mt-1 min-h-44 w-full flex-1 resize-y rounded bg-transparent px-1 py-2 text-[0.9375rem] leading-relaxed outline-offset-0 sm:min-h-64"
    />
  );
}

function MayNotSend({ account }: { account: ConnectedAccount | undefined }) {
  if (!account) {
    return (
      <Notice tone="warn" className="my-2">
        {t('compose.noAccount')}
      </Notice>
    );
  }
  return (
    <Notice
      tone="warn"
      className="my-2"
      title={<Rich k="compose.mayNotSend" values={{ email: <bdi>{account.email}</bdi> }} />}
      actions={
        <Button size="small" onClick={() => grantNow(account, ['send_mail'])}>
          {t('compose.allow')}
        </Button>
      }
    >
      {t('compose.mayNotSendBody', { provider: providerName(account.provider) })}
    </Notice>
  );
}

function NotSent({ error, account }: { error: unknown; account: ConnectedAccount | undefined }) {
  const code = error instanceof ApiError ? error.problem.code : null;
  return (
    <ProblemNotice
      className="mt-3"
      error={error}
      {...(account ? { provider: account.provider } : {})}
      actions={
        code === 'send_scope_missing' && account ? (
          <Button size="small" onClick={() => grantNow(account, ['send_mail'])}>
            {t('compose.allow')}
          </Button>
        ) : undefined
      }
    />
  );
}

/** Whether what was written is safe, in words. */
function SaveState({ draft, online }: { draft: Draft; online: boolean }) {
  const kept = useDrafts((state) => state.kept);
  const saved = useDrafts((state) => state.drafts.some((one) => one.id === draft.id));
  const key = !kept ? 'compose.notKept' : !online ? 'compose.offline' : saved ? 'compose.saved' : null;
  const Icon = key === 'compose.saved' ? CheckCheck : TriangleAlert;
  return (
    <p role="status" className="flex min-w-0 items-center gap-1.5 text-sm text-muted">
      {key && (
        <>
          <Icon aria-hidden className="size-4 shrink-0" />
          {t(key)}
        </>
      )}
    </p>
  );
}
