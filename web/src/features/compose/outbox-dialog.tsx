import { useQuery } from '@tanstack/react-query';
import { PenLine } from 'lucide-react';
import { outboxQuery } from '@/shared/api/outbox';
import { useDialogs } from '@/shared/dialogs';
import { removeDraft, useDrafts, type Draft } from '@/shared/drafts';
import { t } from '@/shared/i18n/i18n';
import { fullTime } from '@/shared/lib/time';
import { Button } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { ProblemNotice } from '@/shared/ui/problem-notice';
import { Spinner } from '@/shared/ui/spinner';
import { OutgoingRow } from './outgoing-row';
import { forgetUpload } from './use-uploads';

/** Everything that was written here and not sent yet, and what became of the rest. */
export function OutboxDialog() {
  const setOutbox = useDialogs((state) => state.setOutbox);
  const outbox = useQuery(outboxQuery);
  const drafts = useDrafts((state) => state.drafts).filter((draft) => !draft.outbox);
  return (
    <Dialog
      open
      wide
      onClose={() => setOutbox(false)}
      title={t('outbox.title')}
      description={t('outbox.body')}
    >
      {drafts.length > 0 && (
        <section aria-label={t('outbox.drafts')} className="mb-4">
          <h3 className="font-medium">{t('outbox.drafts')}</h3>
          <ul className="divide-y divide-line">
            {drafts.map((draft) => (
              <DraftRow key={draft.id} draft={draft} />
            ))}
          </ul>
        </section>
      )}
      {outbox.isPending && <Spinner className="mx-auto my-6 size-5 text-muted" />}
      {outbox.isError && !outbox.data && <ProblemNotice error={outbox.error} />}
      {outbox.data?.length === 0 && drafts.length === 0 && (
        <p className="py-4 text-muted">{t('outbox.nothing')}</p>
      )}
      <ul className="divide-y divide-line">
        {outbox.data?.map((entry) => (
          <li key={entry.id} className="py-3">
            <OutgoingRow entry={entry} />
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

function DraftRow({ draft }: { draft: Draft }) {
  const openCompose = useDialogs((state) => state.openCompose);
  const subject = draft.subject || t('inbox.noSubject');
  return (
    <li className="flex items-center gap-3 py-2.5">
      <PenLine aria-hidden className="size-4.5 shrink-0 text-muted" />
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium">
          <bdi>{subject}</bdi>
        </p>
        <p className="truncate text-sm text-muted">
          {draft.to[0] && <bdi>{draft.to[0].name ?? draft.to[0].address} · </bdi>}
          {fullTime(new Date(draft.savedAt).toISOString())}
        </p>
      </div>
      <Button size="small" onClick={() => openCompose({ kind: 'draft', id: draft.id })}>
        {t('outbox.openDraft')}
      </Button>
      <Button
        size="small"
        look="quiet"
        aria-label={t('outbox.discardDraft', { subject })}
        onClick={() => {
          draft.files.forEach((file) => forgetUpload(file.id));
          removeDraft(draft.id);
        }}
      >
        {t('outbox.discard')}
      </Button>
    </li>
  );
}
