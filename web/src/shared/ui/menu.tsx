import { DropdownMenu } from 'radix-ui';
import type { ComponentProps, ReactNode } from 'react';
import { cn } from '@/shared/lib/cn';
import { rememberMenuButton } from '@/shared/lib/return-focus';

interface MenuProps {
  trigger: ReactNode;
  children: ReactNode;
  label?: string;
  align?: 'start' | 'end';
}

/** A menu under its button. Not modal: a modal one would lock scrolling with a style element, which the policy refuses. */
export function Menu({ trigger, children, label, align = 'end' }: MenuProps) {
  return (
    <DropdownMenu.Root modal={false} onOpenChange={(open) => open && rememberMenuButton()}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align={align}
          sideOffset={6}
          collisionPadding={8}
          aria-label={label}
          className="lk-fade z-50 min-w-52 rounded-xl border border-line bg-raised p-1.5 shadow-pop"
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

const item =
  'flex min-h-9 w-full items-center gap-2.5 rounded-lg px-2.5 py-1.5 text-base outline-none select-none data-disabled:cursor-not-allowed data-disabled:opacity-50 data-highlighted:bg-hover pointer-coarse:min-h-11';

export function MenuItem({
  icon,
  danger,
  className,
  children,
  ...rest
}: ComponentProps<typeof DropdownMenu.Item> & { icon?: ReactNode; danger?: boolean }) {
  return (
    <DropdownMenu.Item className={cn(item, danger && 'text-bad', className)} {...rest}>
      {icon && <span className={cn('[&>svg]:size-4', danger ? 'text-bad' : 'text-muted')}>{icon}</span>}
      {children}
    </DropdownMenu.Item>
  );
}

export function MenuSeparator() {
  return <DropdownMenu.Separator className="mx-1 my-1.5 h-px bg-line" />;
}

export function MenuHeading({ children }: { children: ReactNode }) {
  return <DropdownMenu.Label className="px-2.5 py-1.5 text-sm text-muted">{children}</DropdownMenu.Label>;
}
