/** The simulator's control API, as far as the journeys need it. */

export interface SimulatedMessage {
  id: string;
  subject: string;
  labelIds: string[];
  hasHtml: boolean;
  text?: string;
  html?: string;
  from: { name: string; email: string }[];
}

export interface MessageParts {
  from: string;
  to: string;
  subject: string;
  text?: string;
  html?: string;
  label_ids?: string[];
}

export class Simulator {
  constructor(
    readonly base: string,
    readonly person: string,
  ) {}

  private async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.base}/control${path}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  private mail(of = this.person): string {
    return `/mail/${encodeURIComponent(of)}/messages`;
  }

  /** What is in a mailbox now, newest first. */
  async mailbox(of = this.person): Promise<SimulatedMessage[]> {
    const found: SimulatedMessage[] = [];
    for (;;) {
      const page = await this.call<{ total: number; messages: SimulatedMessage[] }>(
        'GET',
        `${this.mail(of)}?offset=${found.length}&limit=1000&text=1`,
      );
      found.push(...page.messages);
      if (found.length >= page.total || page.messages.length === 0) return found;
    }
  }

  deliver(message: MessageParts, to = this.person): Promise<{ id: string }> {
    return this.call('POST', this.mail(to), message);
  }

  label(id: string, change: { add_labels?: string[]; remove_labels?: string[] }): Promise<unknown> {
    return this.call('PATCH', `${this.mail()}/${id}`, change);
  }

  remove(id: string): Promise<unknown> {
    return this.call('DELETE', `${this.mail()}/${id}`);
  }

  fault(fault: Record<string, unknown>): Promise<{ id: string }> {
    return this.call('POST', '/faults', fault);
  }

  clearFaults(): Promise<unknown> {
    return this.call('DELETE', '/faults');
  }

  settings(change: Record<string, unknown>): Promise<unknown> {
    return this.call('PATCH', '/settings', change);
  }

  account(email: string, change: Record<string, unknown>): Promise<unknown> {
    return this.call('PATCH', `/accounts/${encodeURIComponent(email)}`, change);
  }

  revokeGrant(account: string): Promise<unknown> {
    return this.call('POST', '/grants/revoke', { account });
  }

  async grants(): Promise<{ account: string; scopes: string[] }[]> {
    return (await this.call<{ grants: { account: string; scopes: string[] }[] }>('GET', '/grants')).grants;
  }
}
