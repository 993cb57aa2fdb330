import type { components } from '@/shared/api/schema';

export type StreamEvent = components['schemas']['StreamEvent'];

const types: StreamEvent['type'][] = [
  'account.updated',
  'message.upserted',
  'message.deleted',
  'sync.progress',
  'connect.finished',
  'calendar.changed',
  'outbox.changed',
  'audit.finished',
  'session.ended',
  'resync',
];

interface Listener {
  onEvent: (event: StreamEvent) => void;
  onState: (state: 'live' | 'interrupted') => void;
  /** The stream is open for the first time: what was read before that may have changed without a word. */
  onOpened: () => void;
  /** The server refused the stream; most likely the session is over. */
  onRefused: () => void;
}

/**
 * One stream for all tabs of this browser: browsers allow six connections to a server over HTTP/1.1, and a stream holds one
 * for good. The tab that has the lock listens and passes on what it hears; when it closes, another one takes over. What is
 * passed on are ids, never content.
 */
export function openEventStream(listener: Listener): () => void {
  const stop = new AbortController();
  const channel = new BroadcastChannel('latchkey.events');
  channel.onmessage = (message: MessageEvent<StreamEvent>) => listener.onEvent(message.data);

  const listen = () =>
    new Promise<void>((resolve) => {
      const close = connect(
        {
          ...listener,
          onEvent: (event) => {
            listener.onEvent(event);
            channel.postMessage(event);
          },
        },
        // A tab that takes over cannot know what was said meanwhile.
        () => listener.onEvent({ type: 'resync' }),
      );
      stop.signal.addEventListener('abort', () => {
        close();
        resolve();
      });
    });

  if (navigator.locks) {
    navigator.locks.request('latchkey.events', { signal: stop.signal }, listen).catch(() => undefined);
  } else {
    void listen();
  }
  return () => {
    stop.abort();
    channel.close();
  };
}

function connect(listener: Listener, onReopened: () => void): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let opened = false;
  let closed = false;

  const open = () => {
    source = new EventSource('/api/v1/events');
    source.onopen = () => {
      if (failures > 0) onReopened();
      else if (!opened) listener.onOpened();
      opened = true;
      failures = 0;
      listener.onState('live');
    };
    source.onerror = () => {
      failures += 1;
      // A short break is normal (a server restarting); saying so at once would only flicker.
      if (failures > 1) listener.onState('interrupted');
      // While CONNECTING the browser tries again by itself; CLOSED means that the server gave an answer it cannot use.
      if (source?.readyState !== EventSource.CLOSED || closed) return;
      listener.onRefused();
      timer = setTimeout(open, Math.min(30_000, 1_000 * 2 ** failures));
    };
    for (const type of types) {
      source.addEventListener(type, (message: MessageEvent<string>) => {
        const event = parse(type, message.data);
        if (event) listener.onEvent(event);
      });
    }
  };
  open();
  return () => {
    closed = true;
    clearTimeout(timer);
    source?.close();
  };
}

function parse(type: StreamEvent['type'], data: string): StreamEvent | null {
  try {
    return { ...(JSON.parse(data) as StreamEvent), type };
  } catch {
    return null;
  }
}
