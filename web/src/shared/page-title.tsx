import { t } from '@/shared/i18n/i18n';

/** The document's title; React puts it into the head. */
export function PageTitle({ title }: { title: string }) {
  return <title>{t('app.title', { page: title })}</title>;
}
