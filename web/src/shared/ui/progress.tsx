import { cn } from '@/shared/lib/cn';

interface ProgressProps {
  label: string;
  /** 0 to 1; null while the end is unknown. */
  value: number | null;
  text?: string;
  className?: string;
}

export function Progress({ label, value, text, className }: ProgressProps) {
  const share = value === null ? null : Math.max(0, Math.min(1, value));
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={share === null ? undefined : Math.round(share * 100)}
      aria-valuetext={text}
      className={cn('h-1.5 overflow-hidden rounded-full bg-accent-soft', className)}
    >
      <div
        className={cn(
          'h-full rounded-full bg-accent transition-[width] duration-500',
          share === null && 'animate-pulse',
        )}
        style={{ width: share === null ? '100%' : `${Math.max(2, share * 100)}%` }}
      />
    </div>
  );
}
