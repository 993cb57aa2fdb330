import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { t } from '@/shared/i18n/i18n';
import { Button } from './button';

export function CopyButton({ text, label = t('common.copy') }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <Button
      size="small"
      onClick={() =>
        void navigator.clipboard.writeText(text).then(
          () => setCopied(true),
          () => setCopied(false),
        )
      }
    >
      {copied ? <Check aria-hidden className="size-3.5" /> : <Copy aria-hidden className="size-3.5" />}
      <span aria-live="polite">{copied ? t('common.copied') : label}</span>
    </Button>
  );
}
