import { FileText, Paperclip, X } from 'lucide-react';
import { useRef, type ReactNode } from 'react';
import type { DraftFile } from '@/shared/drafts';
import { problemWords } from '@/shared/error-words';
import { t } from '@/shared/i18n/i18n';
import { bytes } from '@/shared/lib/time';
import { Button } from '@/shared/ui/button';
import { Progress } from '@/shared/ui/progress';
import { mostBytes, type Uploading } from './use-uploads';

interface AttachmentFieldProps {
  files: DraftFile[];
  running: Uploading[];
  provider: string | null;
  onAdd: (files: File[]) => void;
  onRemove: (file: DraftFile) => void;
  onCancel: (key: number) => void;
}

/** Files of the message, with how far each upload is and how much fits. */
export function AttachmentField({
  files,
  running,
  provider,
  onAdd,
  onRemove,
  onCancel,
}: AttachmentFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const total = [...files, ...running].reduce((sum, one) => sum + one.size, 0);
  return (
    <section aria-label={t('compose.attachments')} className="mt-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <input
          ref={input}
          type="file"
          multiple
          hidden
          aria-label={t('compose.attach')}
          onChange={(event) => {
            onAdd([...(event.target.files ?? [])]);
            event.target.value = '';
          }}
        />
        <Button size="small" onClick={() => input.current?.click()}>
          <Paperclip aria-hidden className="size-4" />
          {t('compose.attach')}
        </Button>
        {total > 0 && (
          <p className="tabular text-sm text-muted">
            {t('compose.attachedSize', { size: bytes(total), most: bytes(mostBytes) })}
          </p>
        )}
      </div>
      {files.length + running.length > 0 && (
        <ul className="thin-scroll mt-2 flex max-h-40 flex-col gap-1 overflow-y-auto">
          {files.map((file) => (
            <Row key={file.id} name={file.name} size={file.size} onRemove={() => onRemove(file)} />
          ))}
          {running.map((one) => (
            <Row key={one.key} name={one.name} size={one.size} onRemove={() => onCancel(one.key)}>
              {one.problem ? (
                <p role="alert" className="text-sm text-bad">
                  {problemWords(one.problem.code, one.problem.params, provider).title}
                </p>
              ) : (
                <Progress
                  className="mt-1"
                  label={t('compose.uploading', { name: one.name })}
                  value={one.share}
                />
              )}
            </Row>
          ))}
        </ul>
      )}
    </section>
  );
}

interface RowProps {
  name: string;
  size: number;
  onRemove: () => void;
  children?: ReactNode;
}

function Row({ name, size, onRemove, children }: RowProps) {
  return (
    <li className="flex items-center gap-2 rounded-lg border border-line bg-surface py-1 ps-2.5 pe-1">
      <FileText aria-hidden className="size-4 shrink-0 text-muted" />
      <div className="min-w-0 flex-1">
        <p className="flex gap-2 text-sm">
          <bdi className="min-w-0 truncate">{name}</bdi>
          {size > 0 && <span className="tabular shrink-0 text-muted">{bytes(size)}</span>}
        </p>
        {children}
      </div>
      <button
        type="button"
        aria-label={t('compose.removeFile', { name })}
        onClick={onRemove}
        className="grid size-8 shrink-0 place-items-center rounded-lg text-muted hover:bg-hover hover:text-ink pointer-coarse:size-11"
      >
        <X aria-hidden className="size-4" />
      </button>
    </li>
  );
}
