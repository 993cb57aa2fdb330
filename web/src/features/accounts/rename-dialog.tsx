import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { renameAccount, type ConnectedAccount } from '@/shared/api/accounts';
import { t } from '@/shared/i18n/i18n';
import { Rich } from '@/shared/i18n/rich';
import { Button } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { ProblemNotice } from '@/shared/ui/problem-notice';

export function RenameDialog({ account, onClose }: { account: ConnectedAccount; onClose: () => void }) {
  const id = useId();
  const queryClient = useQueryClient();
  const [name, setName] = useState(account.display_name ?? '');
  const rename = useMutation({
    mutationFn: () => renameAccount(account.id, name.trim()),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ['accounts'] });
      onClose();
    },
  });
  return (
    <Dialog open onClose={onClose} title={t('accounts.renameTitle')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          rename.mutate();
        }}
      >
        <label htmlFor={id} className="mb-1.5 block font-medium">
          {t('accounts.renameLabel')}
        </label>
        <input
          id={id}
          required
          maxLength={100}
          autoComplete="off"
          aria-describedby={`${id}-help`}
          value={name}
          onChange={(event) => setName(event.target.value)}
          className="h-10 w-full rounded-lg border border-line-strong bg-surface px-3"
        />
        <p id={`${id}-help`} className="mt-1.5 text-sm text-muted">
          <Rich k="accounts.renameHelp" values={{ email: <bdi>{account.email}</bdi> }} />
        </p>
        {rename.isError && <ProblemNotice error={rename.error} className="mt-3" />}
        <div className="mt-5 flex justify-end gap-2">
          <Button look="quiet" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button look="primary" type="submit" busy={rename.isPending} disabled={name.trim() === ''}>
            {t('common.save')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
