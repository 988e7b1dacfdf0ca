import { describe, expect, test } from 'vitest';
import { type Draft, KINDS, boundsOf, changesOf, fresh, readRules, toSend, unitOf, wrongField, wrongRules } from '../src/operator/rules';

const rule = (change: Partial<Draft> = {}): Draft => ({ ...fresh('new_payee'), ...change });
const letters = (number: number) => ({ 978: 'EUR', 392: 'JPY' })[number] ?? String(number);

describe('a rule', () => {
  test.each(KINDS)('of kind %s begins as one that could speak', (kind) => expect(wrongField(fresh(kind))).toBeUndefined());

  test.each([
    [rule({ minor: 0 }), 'minor'],
    [rule({ minor: NaN }), 'minor'],
    [rule({ window_s: 0 }), 'window_s'],
    [rule({ window_s: 367 * 86_400 }), 'window_s'],
    [{ ...fresh('drain'), percent: 0 }, 'percent'],
    [{ ...fresh('drain'), percent: 101 }, 'percent'],
    [{ ...fresh('mule_ring'), count: 2 }, 'count'],
    [{ ...fresh('mule_ring'), count: 9 }, 'count'],
    [{ ...fresh('velocity'), count: 0, minor: 0 }, 'count'],
  ] as [Draft, string][])('is told what is wrong with it: %#', (one, field) => expect(wrongField(one)).toBe(field));

  test('of the whole balance needs no least sum, a first payment does', () => {
    expect(boundsOf('drain', 'minor')[0]).toBe(0);
    expect(boundsOf('new_payee', 'minor')[0]).toBe(1);
  });
});

describe('a version', () => {
  test('is refused with the code that the ledger would give', () => {
    expect(wrongRules([rule(), rule({ minor: 5 })])).toBe('rule_twice');
    expect(wrongRules([])).toBe('rule_incomplete');
    expect(wrongRules([rule({ minor: 0 })])).toBe('rule_incomplete');
    expect(wrongRules([fresh('velocity', 60), { ...fresh('velocity', 61), asset: 'EUR' }])).toBe('windows_differ');
    expect(wrongRules([rule(), rule({ asset: 'EUR' }), rule({ source: 'shop' })])).toBeUndefined();
  });

  test('differs from another by what was added, changed and removed, in the order of kinds', () => {
    const [kept, changed, gone, added] = [rule(), rule({ asset: 'EUR' }), fresh('drain'), fresh('velocity')];
    const found = changesOf([gone, kept, changed], [added, { ...changed, minor: 7 }, kept]);
    expect(found.map((one) => [one.key, one.before?.minor, one.after?.minor])).toEqual([
      ['new_payee/person/EUR', 100_000, 7],
      ['drain/person/', 100_000, undefined],
      ['velocity/any/', undefined, 0],
    ]);
    expect(changesOf([kept, gone], [gone, kept])).toEqual([]);
  });

  test('survives the way of an expert', () => {
    const rules = [rule(), rule({ asset: 'JPY', minor: 12 })];
    expect(readRules(JSON.stringify(toSend(rules)), letters)).toEqual(rules);
  });

  test.each(['{}', '[{}]', '[1]', '[null]', '[{"kind":"other","source":"person","asset":0,"minor":1,"count":0,"window_s":1,"percent":0}]', '[{"kind":"drain","source":"person","asset":0,"minor":1.5,"count":0,"window_s":1,"percent":0}]', '['])('that can’t be read is refused: %s', (text) => expect(() => readRules(text, letters)).toThrow());
});

test('a time is shown in the largest unit in which it is whole', () => {
  expect([86_400, 3 * 3600, 90 * 60, 90, 0].map(unitOf)).toEqual([86_400, 3600, 60, 1, 3600]);
});
