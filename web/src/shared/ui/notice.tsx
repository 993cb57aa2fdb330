import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { cn } from '@/shared/lib/cn';

export type Tone = 'info' | 'ok' | 'warn' | 'bad';

const looks = {
  info: { icon: Info, box: 'bg-accent-soft', mark: 'text-accent-soft-ink' },
  ok: { icon: CircleCheck, box: 'bg-ok-soft', mark: 'text-ok' },
  warn: { icon: TriangleAlert, box: 'bg-warn-soft', mark: 'text-warn' },
  bad: { icon: CircleAlert, box: 'bg-bad-soft', mark: 'text-bad' },
} satisfies Record<Tone, unknown>;

interface NoticeProps {
  tone: Tone;
  title?: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
  /** `alert` interrupts; leave it out for what is already on the page when it loads. */
  role?: 'alert' | 'status';
  className?: string;
}

export function Notice({ tone, title, children, actions, role, className }: NoticeProps) {
  const { icon: Icon, box, mark } = looks[tone];
  return (
    <div
      role={role}
      className={cn('flex flex-wrap items-start gap-x-3 gap-y-2 rounded-xl px-3.5 py-3', box, className)}
    >
      <Icon aria-hidden className={cn('mt-0.5 size-4.5 shrink-0', mark)} />
      <div className="min-w-0 flex-1 basis-48 break-words">
        {title && <p className="font-semibold">{title}</p>}
        {children && <div className="text-sm text-ink">{children}</div>}
      </div>
      {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
    </div>
  );
}
