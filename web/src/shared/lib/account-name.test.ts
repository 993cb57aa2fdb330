import { describe, expect, it } from 'vitest';
import { accountName } from './account-name';

const one = { id: '1', email: 'ada@example.com', display_name: 'Ada Example' };
const two = { id: '2', email: 'ada@office.example', display_name: 'Ada Example' };
const three = { id: '3', email: 'choir@example.org', display_name: 'Choir' };
const four = { id: '4', email: 'home@example.org', display_name: null };

describe('accountName', () => {
  it('is the name where it tells accounts apart, and the address where it does not', () => {
    const all = [one, two, three, four];
    expect(all.map((account) => accountName(account, all))).toEqual([
      'ada@example.com',
      'ada@office.example',
      'Choir',
      'home@example.org',
    ]);
    expect(accountName(one, [one, three])).toBe('Ada Example');
  });
});
