import { expect, test } from 'vitest';
import { readAttested } from '../src/explorer/proof/attested';
import { unhex } from '../src/explorer/proof/bytes';
import { dayOf } from '../src/operator/parts/BackingDays';

/** Written by the ledger's own encoder: two currencies, one of which is short. */
const BODY = '92ce01352902929bcd03d2ce000e19abce000e19abcd05dc000003ce000dbba0cd5e0b00a66261636b65649bcd0188ce00011170ce00010d880000d1fc18ff00ce00010d88d1fea2a573686f7274';

test('a day’s record is read as the ledger wrote it', () => {
  const { day, items } = readAttested(unhex(BODY, 'body'));
  expect(day).toBe(20261122);
  expect(items).toEqual([
    { asset: 978n, customers_minor: 924_075n, nostro_minor: 924_075n, transit_minor: 1_500n, claims_minor: 0n, own_minor: 0n, statement: 3n, closing_minor: 900_000n, unlisted_minor: 24_075n, difference_minor: 0n, verdict: 'backed' },
    { asset: 392n, customers_minor: 70_000n, nostro_minor: 69_000n, transit_minor: 0n, claims_minor: 0n, own_minor: -1_000n, statement: -1n, closing_minor: 0n, unlisted_minor: 69_000n, difference_minor: -350n, verdict: 'short' },
  ]);
});

test.each([
  ['nothing', ''],
  ['a cut', BODY.slice(0, -2)],
  ['something behind its end', `${BODY}00`],
  ['another answer', '91a26f6b'],
  ['a line with a field less', BODY.replace('9bcd03d2', '9acd03d2')],
])('%s is no record', (_, text) => expect(() => readAttested(unhex(text, 'body'))).toThrow());

test('days are UTC, wherever one reads them', () => {
  expect(dayOf(20240229).toISOString()).toBe('2024-02-29T00:00:00.000Z');
});
