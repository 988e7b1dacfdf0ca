import { exponentOf } from '../shared/money';

/** An amount typed on a pad, as on a card terminal: digits push in from the right. Minor units. */
export const AMOUNT_MAX = 99_999_999_99;

/** The rate of a tariff in exact words: 1250 hundred-thousandths are "1.25". */
export function percentText(rate: number): string {
  const whole = Math.floor(rate / 1000);
  const rest = String(rate % 1000).padStart(3, '0').replace(/0+$/, '');
  return rest ? `${whole}.${rest}` : String(whole);
}

/** What a key of the pad makes of an amount; the same amount when it doesn't fit. */
export function pressed(minor: number, key: string): number {
  if (key === 'back') return Math.floor(minor / 10);
  if (key === 'clear') return 0;
  if (!/^[0-9]{1,2}$/.test(key)) return minor;
  const next = minor * 10 ** key.length + Number(key);
  return next > AMOUNT_MAX ? minor : next;
}

/** One unit of a currency in minor units. */
export const unitOf = (asset: string): number => 10 ** exponentOf(asset);

/** A day as the API counts it: 20261122. */
export const dayNumber = (date: Date): number => date.getUTCFullYear() * 10_000 + (date.getUTCMonth() + 1) * 100 + date.getUTCDate();

/** The digits of a payer's code, without the spaces that people and scanners put in; empty when it isn't one. */
export function payerDigits(text: string): string {
  const digits = text.normalize('NFKC').replace(/[\s-]/g, '');
  return /^[0-9]{18}$/.test(digits) ? digits : '';
}
