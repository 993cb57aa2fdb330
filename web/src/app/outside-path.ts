/** Whether an address is one of the pages for people who are not signed in. They need little and load little. */
export function isOutside(pathname: string): boolean {
  return /^\/(login|auth\/error)\/?$/.test(pathname);
}
