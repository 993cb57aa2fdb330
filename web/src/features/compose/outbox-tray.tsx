import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { outboxQuery, type Outgoing } from '@/shared/api/outbox';
import { say } from '@/shared/announce';
import { useDialogs } from '@/shared/dialogs';
import { openDraftBefore, removeDraft, useDrafts } from '@/shared/drafts';
import { t } from '@/shared/i18n/i18n';
import { OutgoingRow } from './outgoing-row';

const urgent: ReadonlySet<Outgoing['state']> = new Set([
  'queued',
  'sending',
  'failed',
  'unconfirmed',
  'held',
]);

/** What is on its way out, over every page: how long it can be taken back, and what needs somebody. */
export function OutboxTray() {
  const { data: entries } = useQuery(outboxQuery);
  const drafts = useDrafts((state) => state.drafts);
  const composing = useDialogs((state) => state.compose !== null || state.outbox);
  const openCompose = useDialogs((state) => state.openCompose);
  const told = useRef(new Set<string>());

  useEffect(() => {
    // A reload in the middle of a sentence goes on where it was.
    const before = openDraftBefore();
    if (before) openCompose({ kind: 'draft', id: before });
  }, [openCompose]);

  useEffect(() => {
    for (const entry of entries ?? []) {
      const draft = drafts.find((one) => one.outbox === entry.id);
      if (!draft || entry.state !== 'sent' || told.current.has(entry.id)) continue;
      told.current.add(entry.id);
      removeDraft(draft.id);
      say(t('outbox.sentToast'));
    }
  }, [entries, drafts]);

  const shown = (entries ?? []).filter((entry) => urgent.has(entry.state)).slice(0, 3);
  if (shown.length === 0 || composing) return null;
  return (
    <section
      aria-label={t('outbox.title')}
      className="fixed inset-x-3 bottom-18 z-30 flex flex-col gap-2 sm:start-auto sm:w-96 md:bottom-5"
    >
      {shown.map((entry) => (
        <div
          key={entry.id}
          role={entry.state === 'failed' || entry.state === 'unconfirmed' ? 'alert' : undefined}
          className="lk-rise rounded-xl border border-line bg-raised px-3.5 py-3 shadow-pop"
        >
          <OutgoingRow entry={entry} brief />
        </div>
      ))}
    </section>
  );
}
