/** The guard's rules as a form needs them: what each kind has, between which bounds, and what differs between versions. */
import { isoNumberOf } from '../explorer/proof/assets';
import type { Rule } from './answers';

export const KINDS = ['new_payee', 'advance_fee', 'drain', 'velocity', 'mule_ring'] as const;
export const SOURCES = ['person', 'shop', 'bank', 'any'] as const;
export type Kind = (typeof KINDS)[number];
export type Field = 'minor' | 'count' | 'window_s' | 'percent';
/** One rule as it is edited; `asset` is null where it is for every currency without a rule of its own. */
export type Draft = Pick<Rule, 'kind' | 'source' | 'asset' | Field>;

/** The numbers that a kind looks at, in the order in which one says them. */
export const FIELDS: Record<Kind, readonly Field[]> = {
  new_payee: ['minor', 'window_s'],
  advance_fee: ['minor', 'window_s'],
  drain: ['percent', 'minor', 'window_s'],
  velocity: ['count', 'minor', 'window_s'],
  mule_ring: ['count', 'percent', 'minor', 'window_s'],
};
export const DAY_S = 86_400;
export const WINDOW_MAX_S = 366 * DAY_S;
export const MINOR_MAX = 10 ** 15;
export const RULES_MAX = 64;
const COUNTS: Record<string, readonly [number, number]> = { velocity: [0, 1_000_000], mule_ring: [3, 8] };

/** Between which bounds a number of a kind lies; a rule for every currency shows its sum as hundredths. */
export function boundsOf(kind: Kind, field: Field): readonly [number, number] {
  if (field === 'count') return COUNTS[kind] ?? [0, 0];
  if (field === 'percent') return [1, 100];
  if (field === 'window_s') return [1, WINDOW_MAX_S];
  return [kind === 'new_payee' || kind === 'advance_fee' ? 1 : 0, MINOR_MAX];
}

export const keyOf = (rule: Draft): string => `${rule.kind}/${rule.source}/${rule.asset ?? ''}`;
export const draftOf = ({ kind, source, asset, minor, count, window_s, percent }: Rule | Draft): Draft => ({ kind, source, asset, minor, count, window_s, percent });
export const isKind = (text: string): text is Kind => (KINDS as readonly string[]).includes(text);

/** A rule of a kind to begin with. */
export function fresh(kind: Kind, window_s = DAY_S): Draft {
  return { kind, source: kind === 'velocity' ? 'any' : 'person', asset: null, minor: kind === 'velocity' ? 0 : 100_000, count: kind === 'velocity' ? 120 : kind === 'mule_ring' ? 8 : 0, window_s, percent: kind === 'drain' || kind === 'mule_ring' ? 80 : 0 };
}

/** What is wrong with one rule: the field, or nothing. */
export function wrongField(rule: Draft): Field | undefined {
  if (!isKind(rule.kind)) return 'count';
  for (const field of FIELDS[rule.kind]) {
    const [least, greatest] = boundsOf(rule.kind, field);
    const value = rule[field];
    if (!Number.isSafeInteger(value) || value < least || value > greatest) return field;
  }
  return rule.kind === 'velocity' && !rule.minor && !rule.count ? 'count' : undefined;
}

/** Why these can't be a version, by the code with which the ledger would refuse them; nothing when they can. */
export function wrongRules(rules: readonly Draft[]): string | undefined {
  if (new Set(rules.map(keyOf)).size < rules.length) return 'rule_twice';
  if (!rules.length || rules.length > RULES_MAX || rules.some(wrongField)) return 'rule_incomplete';
  const windows = new Set(rules.filter((one) => one.kind === 'velocity').map((one) => one.window_s));
  return windows.size > 1 ? 'windows_differ' : undefined;
}

export interface Change {
  key: string;
  before?: Draft;
  after?: Draft;
}

/** What differs between two versions, in the order of kinds; what is the same in both is not told. */
export function changesOf(before: readonly Draft[], after: readonly Draft[]): Change[] {
  const [old, now] = [before, after].map((rules) => new Map(rules.map((one) => [keyOf(one), one]))) as [Map<string, Draft>, Map<string, Draft>];
  const keys = [...new Set([...old.keys(), ...now.keys()])];
  const same = (one?: Draft, other?: Draft) => one && other && (['minor', 'count', 'window_s', 'percent'] as const).every((field) => one[field] === other[field]);
  const order = (key: string) => (KINDS as readonly string[]).indexOf(key.split('/')[0] ?? '');
  return keys.filter((key) => !same(old.get(key), now.get(key))).sort((a, b) => order(a) - order(b)).map((key) => ({ key, before: old.get(key), after: now.get(key) }));
}

/** As the command takes them: a currency by its ISO 4217 number, 0 for every one. */
export const toSend = (rules: readonly Draft[]) => rules.map((one) => ({ ...draftOf(one), asset: one.asset ? isoNumberOf(one.asset) : 0 }));

const NAMES = ['asset', 'count', 'kind', 'minor', 'percent', 'source', 'window_s'].join();
/** Reads what an expert wrote, `letters` giving a currency by its number; throws with a reason when it is no list of rules. */
export function readRules(text: string, letters: (number: number) => string): Draft[] {
  const found: unknown = JSON.parse(text);
  if (!Array.isArray(found)) throw new Error('[…]');
  return found.map((one: Record<string, unknown>, at) => {
    const numbers = ['asset', 'minor', 'count', 'window_s', 'percent'] as const;
    const fits = typeof one === 'object' && one !== null && Object.keys(one).sort().join() === NAMES && isKind(String(one.kind)) && (SOURCES as readonly string[]).includes(String(one.source)) && numbers.every((name) => Number.isSafeInteger(one[name]));
    if (!fits) throw new Error(`[${at}]`);
    return { ...one, asset: one.asset ? letters(Number(one.asset)) : null } as Draft;
  });
}

export const UNITS = [['minutes', 60], ['hours', 3600], ['days', DAY_S]] as const;
/** The largest unit in which a time is a whole number; seconds where none is. */
export const unitOf = (seconds: number): number => [...UNITS].reverse().find(([, size]) => seconds >= size && seconds % size === 0)?.[1] ?? (seconds ? 1 : 3600);
