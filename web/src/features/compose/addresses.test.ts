import { describe, expect, it } from 'vitest';
import { addRecipients, isAddress, parseRecipients, recipientText } from './addresses';

describe('recipients as people type and paste them', () => {
  it.each([
    ['ada@example.com', [{ address: 'ada@example.com' }]],
    ['Ada Example <ada@example.com>', [{ name: 'Ada Example', address: 'ada@example.com' }]],
    ['"Example, Ada" <ada@example.com>', [{ name: 'Example, Ada', address: 'ada@example.com' }]],
    [
      'ada@example.com, Grace <grace@example.org>; pat@example.net\nlayla@example.net',
      [
        { address: 'ada@example.com' },
        { name: 'Grace', address: 'grace@example.org' },
        { address: 'pat@example.net' },
        { address: 'layla@example.net' },
      ],
    ],
    ['mailto:ada@example.com,,', [{ address: 'ada@example.com' }]],
    ['紫 式部 <murasaki@example.jp>', [{ name: '紫 式部', address: 'murasaki@example.jp' }]],
    ['not an address', [{ address: 'not an address' }]],
    ['  ', []],
  ])('reads %j', (list, expected) => {
    expect(parseRecipients(list)).toEqual(expected);
  });

  it('gives a recipient back as it would be read again', () => {
    for (const one of [
      { address: 'ada@example.com' },
      { name: 'Ada Example', address: 'ada@example.com' },
      { name: 'Example, Ada', address: 'ada@example.com' },
    ])
      expect(parseRecipients(recipientText(one))).toEqual([one]);
  });

  it('knows an address from other words', () => {
    for (const good of ['a@b.example', 'first.last+tag@mail.example.org', 'ünï@exämple.example'])
      expect(isAddress(good), good).toBe(true);
    for (const bad of [
      '',
      'ada',
      'ada@',
      '@example.com',
      'ada@example',
      'a b@example.com',
      'a@b@example.com',
      'ada@example..com',
      `${'a'.repeat(320)}@example.com`,
    ])
      expect(isAddress(bad), bad).toBe(false);
  });

  it('repeats nobody', () => {
    expect(
      addRecipients(
        [{ address: 'ada@example.com' }],
        [{ address: 'ADA@example.com' }, { address: 'pat@example.net' }],
      ),
    ).toEqual([{ address: 'ada@example.com' }, { address: 'pat@example.net' }]);
  });
});
