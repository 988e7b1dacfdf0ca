import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decimalOf, exponentOf, formatMoney, moneyParts, parseMoney } from '../src/shared/money';
import { ibanFits } from '../src/wallet/pages/Bank';
import { tipOf } from '../src/wallet/pages/Shop';
import { divide } from '../src/wallet/parts/terms';

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

describe('money', () => {
  it('has the exponents of the ledger for every currency', () => {
    const table = readFileSync('../src/formicary/base/iso4217.py', 'utf8');
    const rows = [...table.matchAll(/\b([A-Z]{3}) \d{3} ([0-4-])/g)];
    expect(rows.length).toBeGreaterThan(140);
    for (const [, code = '', places] of rows) expect([code, exponentOf(code)]).toEqual([code, places === '-' ? 0 : Number(places)]);
  });
  it('writes minor units exactly, at any size and sign', () => {
    expect(decimalOf(5, 'EUR')).toBe('0.05');
    expect(decimalOf(-1234, 'EUR')).toBe('-12.34');
    expect(decimalOf(1234, 'JPY')).toBe('1234');
    expect(decimalOf(1, 'BHD')).toBe('0.001');
    expect(decimalOf(12345678901234567890n, 'EUR')).toBe('123456789012345678.90');
  });
  it('writes an asset outside ISO 4217 in whole units, under its own name', () => {
    for (const asset of ['POINTS', 'A1', 'ABC', '#4711']) {
      expect(exponentOf(asset)).toBe(0);
      expect(decimalOf(1234, asset)).toBe('1234');
      expect(plain(formatMoney(-1234, asset, 'en-GB'))).toBe(`-${asset} 1,234`);
      expect(plain(formatMoney(1234, asset, 'fr'))).toBe(`1 234 ${asset}`);
      expect(formatMoney(1234, asset, 'zh-CN', { bare: true })).toBe('1,234');
    }
    expect(parseMoney('12.5', 'POINTS', 'en')).toBeNull();
  });
  it('speaks each language', () => {
    expect(formatMoney(123456, 'EUR', 'en-GB')).toBe('€1,234.56');
    expect(plain(formatMoney(123456, 'EUR', 'fr'))).toBe('1 234,56 €');
    expect(formatMoney(123456, 'CNY', 'zh-CN')).toBe('¥1,234.56');
    expect(formatMoney(500, 'JPY', 'en-GB')).toContain('500');
    expect(formatMoney(123, 'EUR', 'en-GB', { sign: true })).toBe('+€1.23');
    expect(moneyParts(123, 'EUR', 'en-GB').find((part) => part.type === 'fraction')?.value).toBe('23');
  });
  it('reads what people type, or says that it is no amount', () => {
    expect(parseMoney('12.34', 'EUR', 'en')).toBe(1234);
    expect(parseMoney('12,34', 'EUR', 'fr')).toBe(1234);
    expect(parseMoney('12,3', 'EUR', 'en')).toBe(1230);
    expect(parseMoney('1,234', 'EUR', 'en')).toBe(123400);
    expect(parseMoney('1.234', 'EUR', 'fr')).toBe(123400);
    expect(parseMoney('1 234,5', 'EUR', 'fr')).toBe(123450);
    expect(parseMoney('１２．５', 'CNY', 'zh')).toBe(1250);
    expect(parseMoney('500', 'JPY', 'en')).toBe(500);
    for (const wrong of ['', 'abc', '1.2.3', '12.345', '-5', '1e3', '.', '12,34,5']) expect(parseMoney(wrong, 'EUR', 'en')).toBeNull();
    expect(parseMoney('5.0', 'JPY', 'en')).toBeNull();
    expect(parseMoney('99999999999999999999', 'EUR', 'en')).toBeNull();
  });
  it('divides as the ledger does: the earliest take the remainder', () => {
    expect(divide(100, [1, 1, 1])).toEqual([34, 33, 33]);
    expect(divide(7, [0, 2, 1])).toEqual([0, 5, 2]);
    expect(divide(1, [1, 1])).toEqual([1, 0]);
  });
  it('takes tips in whole minor units, half up', () => {
    expect(tipOf(1250, 10)).toBe(125);
    expect(tipOf(1250, 15)).toBe(188);
    expect(tipOf(99, 0)).toBe(0);
  });
  it('checks an IBAN by its digits', () => {
    expect(ibanFits('CZ65 0800 0000 1920 0014 5399')).toBe(true);
    expect(ibanFits('CZ65 0800 0000 1920 0014 5398')).toBe(false);
    expect(ibanFits('nonsense')).toBe(false);
  });
});
