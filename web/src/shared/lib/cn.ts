import { clsx, type ClassValue } from 'clsx';

/** Joins class names. Two utilities for the same property must not meet: use a variant of the component instead. */
export function cn(...classes: ClassValue[]): string {
  return clsx(classes);
}
