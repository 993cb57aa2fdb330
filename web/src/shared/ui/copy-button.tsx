import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { t } from '@/shared/i18n/i18n';
import { Button } from './button';

interface CopyButtonProps {
  text: string;
  label?: string;
  size?: 'small' | 'normal';
}

export function CopyButton({ text, label = t('common.copy'), size = 'small' }: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  return (
    <Button
      size={size}
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
