/** A search parameter as text, or nothing. The router reads numbers and booleans as such; addresses are text to us. */
function optionalText(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** Reads the named search parameters and drops every other one. */
export function texts<Name extends string>(...names: Name[]) {
  return (search: Record<string, unknown>): Partial<Record<Name, string>> => {
    const found: Partial<Record<Name, string>> = {};
    for (const name of names) {
      const text = optionalText(search[name]);
      if (text !== undefined) found[name] = text;
    }
    return found;
  };
}
