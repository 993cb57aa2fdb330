let chordAt = -Infinity;
const chordTime = 1_500;

/** A first key was pressed that waits for a second, such as the g of "g i". */
export function beginChord(timeStamp: number): void {
  chordAt = timeStamp;
}

/** Whether a key press is the second of a chord. */
export function inChord(timeStamp: number): boolean {
  return timeStamp - chordAt < chordTime;
}

export function endChord(): void {
  chordAt = -Infinity;
}

/** Whether a key press belongs to a field, a menu or a dialog, so that single-key shortcuts keep out of it. */
export function isTyping(target: EventTarget | null): boolean {
  if (document.querySelector('[role="dialog"], [role="alertdialog"], [role="menu"]')) return true;
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  );
}
