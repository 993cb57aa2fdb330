import { useQuery } from '@tanstack/react-query';
import { ArrowLeft, MailX } from 'lucide-react';
import { useEffect, useRef } from 'react';
import type { ConnectedAccount } from '@/shared/api/accounts';
import { messageQuery, type Label } from '@/shared/api/messages';
import { ApiError } from '@/shared/api/problem';
import { t } from '@/shared/i18n/i18n';
import { Button } from '@/shared/ui/button';
import { Empty } from '@/shared/ui/empty';
import { ProblemNotice } from '@/shared/ui/problem-notice';
import { Spinner } from '@/shared/ui/spinner';
import { MessageView } from './message-view';

interface MessagePaneProps {
  id: string;
  accounts: ConnectedAccount[] | undefined;
  labels: Label[] | undefined;
  onClose: () => void;
  onOpen: (id: string) => void;
}

/** One message, or why it cannot be shown. */
export function MessagePane({ id, accounts, labels, onClose, onOpen }: MessagePaneProps) {
  const message = useQuery(messageQuery(id));
  const back = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    // On narrow screens the list is gone; the focus must not be lost with it.
    if (window.matchMedia('(max-width: 767px)').matches) back.current?.focus();
  }, []);

  const gone = message.error instanceof ApiError && message.error.problem.status === 404;
  return (
    <>
      <div className="flex items-center border-b border-line px-2 py-1.5 md:hidden">
        <Button ref={back} look="quiet" onClick={onClose}>
          <ArrowLeft aria-hidden className="size-4 rtl:rotate-180" />
          {t('message.back')}
        </Button>
      </div>
      {gone ? (
        <div role="status" className="grid flex-1 place-items-center">
          <Empty
            icon={<MailX aria-hidden />}
            title={t('message.gone')}
            actions={<Button onClick={onClose}>{t('message.back')}</Button>}
          >
            {t('message.goneBody')}
          </Empty>
        </div>
      ) : message.data ? (
        <MessageView message={message.data} accounts={accounts} labels={labels} onOpen={onOpen} />
      ) : message.isError ? (
        <div className="p-5">
          <ProblemNotice
            error={message.error}
            actions={
              <Button size="small" busy={message.isFetching} onClick={() => void message.refetch()}>
                {t('common.retry')}
              </Button>
            }
          />
        </div>
      ) : (
        <div role="status" className="grid flex-1 place-items-center text-muted">
          <Spinner className="size-6" />
          <span className="sr-only">{t('common.loading')}</span>
        </div>
      )}
    </>
  );
}
