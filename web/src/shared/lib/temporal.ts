import type { Temporal as Types } from 'temporal-polyfill';

type Api = typeof Types;

let api: Api | undefined;

/** Makes Temporal ready: the browser's own where there is one, otherwise a polyfill that is loaded only then. */
export async function loadTemporal(): Promise<void> {
  api ??= (globalThis as { Temporal?: Api }).Temporal ?? (await import('temporal-polyfill')).Temporal;
}

/** Temporal, once `loadTemporal` has ended; pages that need it wait for that before they are shown. */
export function temporal(): Api {
  if (!api) throw new Error('loadTemporal has not ended');
  return api;
}
