import { X } from 'lucide-react';
import { useEffect } from 'react';
import { useAnnouncements, type Toast } from '@/shared/announce';
import { t } from '@/shared/i18n/i18n';
import { cn } from '@/shared/lib/cn';

const shownFor = 6_000;

/** Short messages on screen, and what a screen reader hears: politely, and at once only for failures. */
export function LiveRegion() {
  const toasts = useAnnouncements((state) => state.toasts);
  const whisper = useAnnouncements((state) => state.whisper);
  return (
    <div className="pointer-events-none fixed inset-x-3 bottom-18 z-60 flex flex-col items-center gap-2 md:bottom-5">
      <div role="status" aria-live="polite" className="contents">
        <span className="sr-only">{whisper}</span>
        {toasts
          .filter((toast) => toast.tone === 'info')
          .map((toast) => (
            <ToastView key={toast.id} toast={toast} />
          ))}
      </div>
      <div role="alert" className="contents">
        {toasts
          .filter((toast) => toast.tone === 'bad')
          .map((toast) => (
            <ToastView key={toast.id} toast={toast} />
          ))}
      </div>
    </div>
  );
}

function ToastView({ toast }: { toast: Toast }) {
  const dismiss = useAnnouncements((state) => state.dismiss);
  useEffect(() => {
    // A failure stays until it is dismissed.
    if (toast.tone === 'bad') return;
    const timer = setTimeout(() => dismiss(toast.id), shownFor);
    return () => clearTimeout(timer);
  }, [toast, dismiss]);
  return (
    <div
      className={cn(
        'lk-rise pointer-events-auto flex max-w-md items-center gap-3 rounded-xl border bg-raised py-1.5 ps-4 pe-1.5 text-base shadow-pop',
        toast.tone === 'bad' ? 'border-bad text-bad' : 'border-line',
      )}
    >
      <span className="min-w-0 break-words">{toast.text}</span>
      <button
        type="button"
        aria-label={t('common.dismiss')}
        onClick={() => dismiss(toast.id)}
        className="grid size-8 shrink-0 place-items-center rounded-lg text-muted hover:bg-hover hover:text-ink"
      >
        <X aria-hidden className="size-4" />
      </button>
    </div>
  );
}
