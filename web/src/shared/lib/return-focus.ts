// Where the focus goes when a dialog closes. A menu item is gone by then, so the button of its menu is remembered.
let menuButton: Element | null = null;

export function rememberMenuButton(): void {
  menuButton = document.activeElement;
}

/** What has the focus now, or the button of the menu that it is in. */
export function focusedNow(): Element | null {
  const active = document.activeElement;
  return active?.closest('[role="menu"]') ? menuButton : active === document.body ? menuButton : active;
}

export function giveFocusBack(element: Element | null): void {
  if (element instanceof HTMLElement && element.isConnected) element.focus();
}
