import { CircleAlert, X } from 'lucide-react';
import { useId, useRef, useState, type ClipboardEvent, type KeyboardEvent } from 'react';
import type { Recipient } from '@/shared/api/outbox';
import { t } from '@/shared/i18n/i18n';
import { cn } from '@/shared/lib/cn';
import { addRecipients, isAddress, parseRecipients, recipientText } from './addresses';

interface RecipientFieldProps {
  label: string;
  value: Recipient[];
  onChange: (value: Recipient[]) => void;
  focusFirst?: boolean;
}

/** Recipients as chips. What is typed becomes a chip at a comma, Enter or when the field is left; wrong ones say so. */
export function RecipientField({ label, value, onChange, focusFirst }: RecipientFieldProps) {
  const id = useId();
  const [text, setText] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const wrong = value.filter((one) => !isAddress(one.address));

  const take = (list: string) => {
    const more = parseRecipients(list);
    if (more.length > 0) onChange(addRecipients(value, more));
    setText('');
  };
  const remove = (index: number) => {
    onChange(value.filter((_, other) => other !== index));
    input.current?.focus();
  };
  const edit = (index: number) => {
    const one = value[index];
    if (!one) return;
    remove(index);
    setText(recipientText(one));
  };

  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const send = event.key === 'Enter' && (event.metaKey || event.ctrlKey);
    if (text.trim() && !send && (event.key === 'Enter' || event.key === ',' || event.key === ';')) {
      // A comma inside of quotes belongs to the name.
      if (event.key !== 'Enter' && (text.match(/"/g) ?? []).length % 2 === 1) return;
      event.preventDefault();
      take(text);
    } else if (event.key === 'Enter' && !send) {
      event.preventDefault();
    } else if (event.key === 'Backspace' && text === '' && value.length > 0) {
      event.preventDefault();
      edit(value.length - 1);
    }
  };
  const onPaste = (event: ClipboardEvent<HTMLInputElement>) => {
    const pasted = event.clipboardData.getData('text');
    if (!/[,;\n]/.test(pasted)) return;
    event.preventDefault();
    take(`${text} ${pasted}`);
  };

  return (
    <div className="flex items-start gap-3 border-b border-line py-1">
      <label htmlFor={id} className="w-12 shrink-0 pt-1.5 text-sm text-muted pointer-coarse:pt-3">
        {label}
      </label>
      <div className="min-w-0 flex-1">
        <div className="thin-scroll flex max-h-28 flex-wrap items-center gap-1 overflow-y-auto py-0.5">
          {value.map((one, index) => (
            <Chip
              key={one.address}
              recipient={one}
              onEdit={() => edit(index)}
              onRemove={() => remove(index)}
            />
          ))}
          <input
            ref={input}
            id={id}
            type="text"
            inputMode="email"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            // eslint-disable-next-line jsx-a11y/no-autofocus -- the dialog was opened to write
            autoFocus={focusFirst}
            aria-describedby={wrong.length > 0 ? `${id}-wrong` : undefined}
            aria-invalid={wrong.length > 0 || undefined}
            value={text}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={onKeyDown}
            onPaste={onPaste}
            onBlur={() => text.trim() && take(text)}
            className="h-8 min-w-32 flex-1 rounded bg-transparent px-1 outline-offset-0 pointer-coarse:h-11"
          />
        </div>
        {wrong.length > 0 && (
          <p id={`${id}-wrong`} role="alert" className="pb-1 text-sm text-bad">
            {t('compose.notAddress', {
              count: wrong.length,
              address: wrong[0] ? wrong[0].address || recipientText(wrong[0]) : '',
            })}
          </p>
        )}
      </div>
    </div>
  );
}

interface ChipProps {
  recipient: Recipient;
  onEdit: () => void;
  onRemove: () => void;
}

function Chip({ recipient, onEdit, onRemove }: ChipProps) {
  const good = isAddress(recipient.address);
  const text = recipient.name ?? recipient.address;
  return (
    <span
      className={cn(
        'inline-flex max-w-full items-center rounded-full border text-sm',
        good ? 'border-line bg-sunken' : 'border-bad bg-bad-soft text-bad',
      )}
    >
      <button
        type="button"
        title={recipient.address}
        aria-label={t('compose.editRecipient', { recipient: recipientText(recipient) })}
        onClick={onEdit}
        className="flex min-h-7 min-w-0 items-center gap-1 rounded-full ps-2.5 pe-1 pointer-coarse:min-h-11"
      >
        {!good && <CircleAlert aria-hidden className="size-3.5 shrink-0" />}
        <bdi className="min-w-0 truncate">{text}</bdi>
      </button>
      <button
        type="button"
        aria-label={t('compose.removeRecipient', { recipient: recipient.address })}
        onClick={onRemove}
        className="grid size-7 shrink-0 place-items-center rounded-full hover:bg-hover pointer-coarse:size-11"
      >
        <X aria-hidden className="size-3.5" />
      </button>
    </span>
  );
}
