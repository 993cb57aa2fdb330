/**
 * Returns `candidate` when it is a path on this very site, otherwise `fallback`. The server checks return addresses too; this
 * keeps the app itself from ever navigating elsewhere because of something in its address.
 */
export function localPath(candidate: string | undefined | null, fallback = '/'): string {
  if (!candidate || !candidate.startsWith('/') || candidate.startsWith('//') || candidate.includes('\\'))
    return fallback;
  try {
    const url = new URL(candidate, window.location.origin);
    return url.origin === window.location.origin ? url.pathname + url.search + url.hash : fallback;
  } catch {
    return fallback;
  }
}
