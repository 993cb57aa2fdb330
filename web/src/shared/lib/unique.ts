/** A random id nobody else has. `crypto.randomUUID` is missing on plain http, where an installation may be tried out. */
export function uniqueId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
