import { describe, expect, it } from 'vitest';
import '@/shared/i18n/main';
import '@/shared/i18n/compose';
import { account, message, messages } from '@/testing/fixtures';
import { answerTo, draftOf } from './draft-of';
import { htmlOf } from './html-of';

const own = new Set(['ada@example.com']);
const ada = { name: 'Ada Example', address: 'ada@example.com' };
const pat = { name: 'Pat Sample', address: 'pat@example.com' };
const ben = { name: null, address: 'ben@example.com' };
const original = message(messages[0]!, { to: [ada, pat], cc: [ben] });

describe('whom an answer goes to', () => {
  it('is the author, and with all of them everybody but us', () => {
    expect(answerTo(original, false, own)).toEqual({
      to: [{ name: 'Grace Example', address: 'grace@example.org' }],
      cc: [],
    });
    expect(answerTo(original, true, own)).toEqual({
      to: [{ name: 'Grace Example', address: 'grace@example.org' }],
      cc: [pat, { address: 'ben@example.com' }],
    });
  });

  it('is who asked to be answered', () => {
    const list = { name: 'Reading group', address: 'list@example.org' };
    expect(answerTo({ ...original, reply_to: [list] }, false, own).to).toEqual([list]);
  });

  it('goes on to those we wrote to when the message is ours', () => {
    const sent = { ...original, from: ada, to: [pat], cc: [ben] };
    expect(answerTo(sent, false, own).to).toEqual([pat]);
    expect(answerTo(sent, true, own)).toEqual({ to: [pat], cc: [{ address: 'ben@example.com' }] });
  });
});

describe('what an answer begins with', () => {
  const reply = (subject: string) =>
    draftOf({ kind: 'reply', message: { ...original, subject }, all: false }, [account()]);

  it('has the prefix once', () => {
    expect(reply('Minutes').subject).toBe('Re: Minutes');
    expect(reply('RE: Minutes').subject).toBe('RE: Minutes');
    expect(draftOf({ kind: 'forward', message: { ...original, subject: 'Fwd: a' } }, []).subject).toBe(
      'Fwd: a',
    );
  });

  it('quotes line by line, deeper quotes deeper', () => {
    const text = 'Yes.\n> And the printers?\n\nGrace';
    const draft = draftOf({ kind: 'reply', message: { ...original, text }, all: false }, [account()]);
    expect(draft.text).toMatch(
      /^\n\nOn .*, Grace Example wrote:\n> Yes\.\n>> And the printers\?\n>\n> Grace\n$/,
    );
    expect(draft).toMatchObject({ account: original.account_id, replyTo: original.id, forwardOf: null });
  });

  it('passes on with head and body', () => {
    const draft = draftOf({ kind: 'forward', message: original }, [account()]);
    expect(draft.text).toContain('From: Grace Example <grace@example.org>');
    expect(draft.text).toContain(original.text!.trim());
    expect(draft).toMatchObject({ forwardOf: original.id, replyTo: null, to: [] });
  });
});

describe('the same words as HTML', () => {
  it('makes nothing of what somebody typed but quotes and links', () => {
    expect(htmlOf('<b>Hi</b> & "you"\nhttps://example.org/a?b=1&c=2.')).toBe(
      '<div dir="auto">\n<div>&lt;b&gt;Hi&lt;/b&gt; &amp; &quot;you&quot;<br>\n' +
        '<a href="https://example.org/a?b=1&amp;c=2">https://example.org/a?b=1&amp;c=2</a>.</div>\n</div>\n',
    );
    expect(htmlOf('a\n> b\n>> c')).toBe(
      '<div dir="auto">\n<div>a</div>\n<blockquote>\n<div>b</div>\n<blockquote>\n<div>c</div>\n</blockquote>\n</blockquote>\n</div>\n',
    );
  });

  it('ends, however deep a quote is', () => {
    expect(htmlOf(`${'>'.repeat(100_000)} deep`).match(/<blockquote>/g)).toHaveLength(20);
  });
});
