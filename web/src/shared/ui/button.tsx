import { cva, type VariantProps } from 'class-variance-authority';
import type { ButtonHTMLAttributes, Ref } from 'react';
import { cn } from '@/shared/lib/cn';
import { Spinner } from './spinner';

export const buttonLook = cva(
  'inline-flex shrink-0 items-center gap-2 rounded-lg text-base font-medium whitespace-nowrap transition-colors select-none disabled:cursor-not-allowed disabled:opacity-60 pointer-coarse:min-h-11',
  {
    variants: {
      look: {
        primary: 'bg-accent text-accent-ink hover:not-disabled:bg-accent-strong',
        plain:
          'border border-line bg-raised text-ink shadow-card hover:not-disabled:border-line-strong hover:not-disabled:bg-hover',
        quiet: 'text-muted hover:not-disabled:bg-hover hover:not-disabled:text-ink',
        danger: 'bg-bad-solid text-bad-ink hover:not-disabled:opacity-90',
        link: 'text-accent underline-offset-4 hover:not-disabled:underline',
      },
      size: {
        normal: 'min-h-9 justify-center px-3.5 py-1.5',
        large: 'min-h-11 justify-center px-4 py-2.5',
        small: 'min-h-8 justify-center px-2.5 text-sm',
        icon: 'size-9 justify-center pointer-coarse:size-11',
        // A choice in a column: as wide as the column, its words at the start.
        row: 'min-h-11 w-full justify-start px-4 py-2.5 text-start',
      },
    },
    defaultVariants: { look: 'plain', size: 'normal' },
  },
);

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement>, VariantProps<typeof buttonLook> {
  /** Shows that the action is under way; the button stays focusable but does nothing more. */
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ look, size, busy = false, className, children, onClick, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
      className={cn(buttonLook({ look, size }), className)}
    >
      {busy && <Spinner />}
      {children}
    </button>
  );
}
