import { expect, test } from 'vitest';
import { AMOUNT_MAX, dayNumber, payerDigits, percentText, pressed } from '../src/till/amount';
import { MAY } from '../src/till/answers';

test('keys push digits in from the right, like a card terminal', () => {
  expect('1250'.split('').reduce(pressed, 0)).toBe(1250);
  expect(pressed(12, '00')).toBe(1200);
  expect(pressed(1250, 'back')).toBe(125);
  expect(pressed(0, 'back')).toBe(0);
  expect(pressed(1250, 'clear')).toBe(0);
  expect(pressed(7, 'x')).toBe(7);
});

test('an amount that would be too large is left as it is', () => {
  expect(pressed(AMOUNT_MAX, '1')).toBe(AMOUNT_MAX);
  expect(Number.isSafeInteger(AMOUNT_MAX)).toBe(true);
});

test('a payer’s code is 18 digits, however it was typed', () => {
  expect(payerDigits('123 456 789 012 345 678')).toBe('123456789012345678');
  expect(payerDigits('１２３４５６７８９０１２３４５６７８')).toBe('123456789012345678');
  expect(payerDigits('12345678901234567')).toBe('');
  expect(payerDigits('12345678901234567a')).toBe('');
});

test('rates and days are exact', () => {
  expect(percentText(800)).toBe('0.8');
  expect(percentText(1250)).toBe('1.25');
  expect(percentText(2000)).toBe('2');
  expect(percentText(1)).toBe('0.001');
  expect(dayNumber(new Date('2026-11-02T23:59:59Z'))).toBe(20261102);
});

test('roles may what the shop says', () => {
  expect([MAY.refund('cashier'), MAY.refund('manager'), MAY.own('manager'), MAY.own('owner'), MAY.manage('')]).toEqual([false, true, false, true, false]);
});
