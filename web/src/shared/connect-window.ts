/**
 * Helpers of the connect flow in the browser. The provider's pages may cut the link between this page and the window
 * (Cross-Origin-Opener-Policy); then `closed` reads true while the window is open. So it is never read: the server's attempt
 * tells how connecting ended, and a broadcast between pages of this origin only makes it faster.
 */

const size = { width: 520, height: 720 };

/** Opens an empty window. Must be called in the click itself; null means that the browser blocked it. */
export function openConnectWindow(): Window | null {
  const left = Math.max(0, window.screenX + (window.outerWidth - size.width) / 2);
  const top = Math.max(0, window.screenY + (window.outerHeight - size.height) / 3);
  return window.open(
    'about:blank',
    '_blank',
    `popup,width=${size.width},height=${size.height},left=${Math.round(left)},top=${Math.round(top)}`,
  );
}

const channelName = (attempt: string) => `latchkey.connect.${attempt}`;

/** Tells the page that waits for this attempt to ask the server now. Carries nothing. */
export function broadcastFinished(attempt: string): void {
  const channel = new BroadcastChannel(channelName(attempt));
  channel.postMessage('finished');
  channel.close();
}

export function onFinished(attempt: string, notify: () => void): () => void {
  const channel = new BroadcastChannel(channelName(attempt));
  channel.onmessage = notify;
  return () => channel.close();
}
