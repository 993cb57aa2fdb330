/** An event stream that says what a test tells it to. */
export class FakeEventSource extends EventTarget {
  static readonly CLOSED = 2;
  private static opened: FakeEventSource[] = [];
  private static slow = false;

  readonly url: string;
  readyState = 1;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;

  constructor(url: string) {
    super();
    this.url = url;
    FakeEventSource.opened.push(this);
    if (!FakeEventSource.slow) queueMicrotask(() => this.onopen?.());
  }

  close() {
    this.readyState = 2;
    FakeEventSource.opened = FakeEventSource.opened.filter((other) => other !== this);
  }

  /** Sends one event to every open stream. */
  static say(type: string, data: Record<string, unknown> = {}) {
    for (const stream of FakeEventSource.opened) {
      stream.dispatchEvent(new MessageEvent(type, { data: JSON.stringify({ type, ...data }) }));
    }
  }

  /** From now on streams open only when told so. */
  static openLater() {
    FakeEventSource.slow = true;
  }

  static openNow() {
    FakeEventSource.slow = false;
    for (const stream of FakeEventSource.opened) stream.onopen?.();
  }

  static get count() {
    return FakeEventSource.opened.length;
  }

  static forget() {
    FakeEventSource.opened = [];
    FakeEventSource.slow = false;
  }
}
