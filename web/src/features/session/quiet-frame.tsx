import type { ReactNode } from 'react';
import { t } from '@/shared/i18n/i18n';
import { Logo } from '@/shared/ui/logo';

/** A single card in the middle of the page, for the moments around signing in. */
export function QuietFrame({
  title,
  children,
  footer,
}: {
  title: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
}) {
  return (
    <main className="flex min-h-full flex-col items-center justify-center px-4 py-10">
      <div className="w-full max-w-sm">
        <div className="mb-6 flex flex-col items-center gap-3 text-center">
          <Logo className="size-11" />
          <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
        </div>
        <div className="rounded-2xl border border-line bg-surface p-5 shadow-card sm:p-6">{children}</div>
        {footer && <div className="mt-4 px-2 text-center text-sm text-muted">{footer}</div>}
        <p className="sr-only">{t('app.name')}</p>
      </div>
    </main>
  );
}
