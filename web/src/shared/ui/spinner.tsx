import { LoaderCircle } from 'lucide-react';
import { cn } from '@/shared/lib/cn';

export function Spinner({ className }: { className?: string }) {
  return <LoaderCircle aria-hidden className={cn('lk-spin', className ?? 'size-4')} />;
}
