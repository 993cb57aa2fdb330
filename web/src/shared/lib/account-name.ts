interface Named {
  id: string;
  email: string;
  display_name: string | null;
}

/** What an account is called in a list of them: its name where it has one of its own. People's accounts often share theirs. */
export function accountName(account: Named, accounts: readonly Named[]): string {
  const name = account.display_name;
  const shared = accounts.some((other) => other.id !== account.id && other.display_name === name);
  return name && !shared ? name : account.email;
}
