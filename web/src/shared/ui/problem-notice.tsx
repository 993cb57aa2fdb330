import type { ReactNode } from 'react';
import { problemWords } from '@/shared/error-words';
import { problemFrom } from '@/shared/api/problem';
import { t } from '@/shared/i18n/i18n';
import { CopyButton } from './copy-button';
import { Notice } from './notice';

interface ProblemNoticeProps {
  error: unknown;
  provider?: string;
  actions?: ReactNode;
  className?: string;
}

/** A failure in words that say what to do, with its code and reference small beside it. */
export function ProblemNotice({ error, provider, actions, className }: ProblemNoticeProps) {
  const problem = problemFrom(error);
  const words = problemWords(
    problem.code,
    {
      ...problem.params,
      ...(problem.retryAfter ? { seconds: problem.retryAfter } : {}),
      ...(problem.ref ? { ref: problem.ref } : {}),
    },
    provider,
  );
  return (
    <Notice tone="bad" role="alert" title={words.title} actions={actions} className={className}>
      <p>{words.body}</p>
      <Reference code={problem.code} reference={problem.ref} />
    </Notice>
  );
}

export function Reference({ code, reference }: { code: string; reference?: string | null }) {
  return (
    <p className="mt-2 flex flex-wrap items-center gap-2 font-mono text-2xs text-muted">
      <span>{reference ? t('error.reference', { code, ref: reference }) : code}</span>
      {reference && <CopyButton text={`${code} ${reference}`} label={t('common.copyDetails')} />}
    </p>
  );
}
