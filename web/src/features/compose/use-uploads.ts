import { useEffect, useRef, useState } from 'react';
import { deleteUpload, uploadFile } from '@/shared/api/outbox';
import { problemFrom, type Problem } from '@/shared/api/problem';
import type { DraftFile } from '@/shared/drafts';

/** What one message may carry, before it is encoded; the provider has the last word. */
export const mostBytes = 25 * 1024 * 1024;

export interface Uploading {
  key: number;
  name: string;
  size: number;
  share: number;
  problem: Problem | null;
}

let nextKey = 1;

/** Uploads the files of a draft while it is written. */
export function useUploads(files: DraftFile[], onDone: (file: DraftFile) => void) {
  const [running, setRunning] = useState<Uploading[]>([]);
  const stops = useRef(new Map<number, AbortController>());
  const done = useRef(onDone);
  useEffect(() => {
    done.current = onDone;
  });
  useEffect(() => {
    const all = stops.current;
    return () => all.forEach((stop) => stop.abort());
  }, []);

  const change = (key: number, part: Partial<Uploading>) =>
    setRunning((list) => list.map((one) => (one.key === key ? { ...one, ...part } : one)));
  const drop = (key: number) => setRunning((list) => list.filter((one) => one.key !== key));

  const add = (chosen: readonly File[]) => {
    let total = [...files, ...running].reduce((sum, one) => sum + one.size, 0);
    for (const file of chosen) {
      const key = nextKey++;
      const entry: Uploading = { key, name: file.name, size: file.size, share: 0, problem: null };
      total += file.size;
      if (total > mostBytes) {
        total -= file.size;
        const problem = {
          code: 'attachment_too_large',
          status: 413,
          ref: null,
          params: {},
          retryAfter: null,
        };
        setRunning((list) => [...list, { ...entry, size: 0, problem: problem as Problem }]);
        continue;
      }
      setRunning((list) => [...list, entry]);
      const stop = new AbortController();
      stops.current.set(key, stop);
      uploadFile(file, (share) => change(key, { share }), stop.signal)
        .then(
          (upload) => {
            drop(key);
            done.current({
              id: upload.id,
              name: upload.name,
              size: upload.size,
              expires: Date.parse(upload.expires_at),
            });
          },
          (error: unknown) => {
            if (!stop.signal.aborted) change(key, { problem: problemFrom(error) });
          },
        )
        .finally(() => stops.current.delete(key));
    }
  };

  /** Stops an upload, or takes a failed one off the list. */
  const cancel = (key: number) => {
    stops.current.get(key)?.abort();
    drop(key);
  };

  return { running, add, cancel };
}

/** Forgets an uploaded file; one that stays behind is removed by the server after a day. */
export function forgetUpload(id: string): void {
  deleteUpload(id).catch(() => undefined);
}
