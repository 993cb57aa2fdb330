import type { Person } from '@/shared/api/messages';
import { cn } from '@/shared/lib/cn';

export function nameOf(person: Person): string {
  return person.name?.trim() || person.address;
}

const hues = [
  'bg-[light-dark(#dfe8ff,#26345e)] text-[light-dark(#2a4596,#c4d2ff)]',
  'bg-[light-dark(#dcf3e7,#17392b)] text-[light-dark(#155c3e,#a9e6c8)]',
  'bg-[light-dark(#fdebd3,#453012)] text-[light-dark(#7a4a00,#f7d49a)]',
  'bg-[light-dark(#fbe3ea,#4a1f2f)] text-[light-dark(#8f1f47,#ffc0d3)]',
  'bg-[light-dark(#ece4fb,#35265a)] text-[light-dark(#55319b,#d9c8ff)]',
  'bg-[light-dark(#dbf1f5,#123a42)] text-[light-dark(#0d5866,#a5e2ee)]',
];

/** The first letter of a name on a colour of its own; decoration beside the name. */
export function Avatar({ person }: { person: Person | null }) {
  const text = person ? nameOf(person) : '?';
  const letter = [...text.replace(/^[^\p{L}\p{N}]+/u, '')][0] ?? '?';
  let sum = 0;
  for (const character of person?.address ?? text) sum = (sum * 31 + character.charCodeAt(0)) >>> 0;
  return (
    <span
      aria-hidden
      className={cn(
        'grid size-9 shrink-0 place-items-center rounded-full text-base font-semibold',
        hues[sum % hues.length],
      )}
    >
      {letter.toLocaleUpperCase()}
    </span>
  );
}

export function PersonText({ person }: { person: Person }) {
  const name = person.name?.trim();
  return name ? (
    <>
      <bdi>{name}</bdi> <bdi className="text-muted">{`<${person.address}>`}</bdi>
    </>
  ) : (
    <bdi>{person.address}</bdi>
  );
}
