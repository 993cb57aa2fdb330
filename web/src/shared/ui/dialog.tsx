import { X } from 'lucide-react';
import { AlertDialog as Alert, Dialog as Radix } from 'radix-ui';
import { useRef, type ReactNode, type RefObject } from 'react';
import { t } from '@/shared/i18n/i18n';
import { cn } from '@/shared/lib/cn';
import { focusedNow, giveFocusBack } from '@/shared/lib/return-focus';
import { buttonLook } from './button';

// The shade is our own element: Radix's overlay locks scrolling with a style element, which the
// Content-Security-Policy refuses. The page itself never scrolls, so nothing has to be locked.
const shade = 'lk-fade fixed inset-0 z-40 bg-shade';
const frame =
  'lk-rise thin-scroll fixed inset-x-0 bottom-0 z-50 mx-auto flex max-h-[92dvh] w-full flex-col overflow-y-auto rounded-t-2xl border border-line bg-raised shadow-pop sm:inset-y-0 sm:my-auto sm:h-fit sm:max-h-[86dvh] sm:w-[calc(100%-2rem)] sm:rounded-2xl';

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  description?: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
  wide?: boolean;
  /** Fills a phone's screen; for what somebody works in for a while. */
  full?: boolean;
}

/** Our dialogs are opened by state, not by a trigger of Radix, so they give the focus back themselves. */
function useReturnFocus() {
  const opener = useRef<Element | null>(null);
  return {
    remember: () => {
      opener.current = focusedNow();
    },
    giveBack: (event: Event) => {
      event.preventDefault();
      giveFocusBack(opener.current);
    },
  };
}

export function Dialog({ open, onClose, title, description, children, footer, wide, full }: DialogProps) {
  const { remember, giveBack } = useReturnFocus();
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <div className={shade} />
        <Radix.Content
          aria-modal
          onOpenAutoFocus={remember}
          onCloseAutoFocus={giveBack}
          {...(description ? {} : { 'aria-describedby': undefined })}
          className={cn(
            frame,
            wide ? 'max-w-2xl' : 'max-w-md',
            full && 'max-sm:h-dvh max-sm:max-h-none! max-sm:rounded-none',
          )}
        >
          <header className="flex items-start gap-3 px-5 pt-4 pb-1">
            <div className="min-w-0 flex-1 pt-1">
              <Radix.Title className="text-lg font-semibold break-words">{title}</Radix.Title>
              {description && (
                <Radix.Description className="mt-0.5 text-base break-words text-muted">
                  {description}
                </Radix.Description>
              )}
            </div>
            <Radix.Close
              aria-label={t('common.close')}
              className={buttonLook({ look: 'quiet', size: 'icon' })}
            >
              <X aria-hidden className="size-4.5" />
            </Radix.Close>
          </header>
          <div className={cn('px-5 pt-2 pb-5', full && 'flex min-h-0 flex-1 flex-col')}>{children}</div>
          {footer && <DialogFooter>{footer}</DialogFooter>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function DialogFooter({ children }: { children: ReactNode }) {
  return (
    <footer className="sticky bottom-0 mt-auto flex flex-wrap justify-end gap-2 border-t border-line bg-raised px-5 py-3.5">
      {children}
    </footer>
  );
}

interface AlertDialogProps extends Omit<DialogProps, 'wide' | 'full'> {
  /** What gets the focus when it opens: the harmless choice. */
  safe: RefObject<HTMLButtonElement | null>;
}

export function AlertDialog({ open, onClose, title, description, children, footer, safe }: AlertDialogProps) {
  const { remember, giveBack } = useReturnFocus();
  return (
    <Alert.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Alert.Portal>
        <div className={shade} />
        <Alert.Content
          aria-modal
          className={cn(frame, 'max-w-md')}
          onCloseAutoFocus={giveBack}
          onOpenAutoFocus={(event) => {
            remember();
            event.preventDefault();
            safe.current?.focus();
          }}
        >
          <header className="px-5 pt-5 pb-1">
            <Alert.Title className="text-lg font-semibold break-words">{title}</Alert.Title>
            <Alert.Description className="mt-1 text-base break-words text-muted">
              {description}
            </Alert.Description>
          </header>
          <div className="px-5 pt-2 pb-5">{children}</div>
          {footer && <DialogFooter>{footer}</DialogFooter>}
        </Alert.Content>
      </Alert.Portal>
    </Alert.Root>
  );
}
