import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const beside = fileURLToPath(new URL('../../../../shared/corpus', import.meta.url));

/** Real mail where it is at hand; without it the journeys use the simulator's own sample mailbox. */
export function realMail(): string[] {
  const folder = join(process.env.LATCHKEY_CORPUS ?? beside, 'mailbox');
  return ['asf.mbox.gz', 'world.mbox.gz']
    .map((name) => join(folder, name))
    .filter((file) => existsSync(file));
}
