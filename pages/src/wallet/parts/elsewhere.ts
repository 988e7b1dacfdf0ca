/** People and shops at other institutions: named `@name@institution`, found by their own institution alone. */
import type { Party } from '../../shared/answers';
import type { Page as Listed } from '../../shared/api';
import { useAsk } from '../../shared/useAsk';

export interface Institution {
  institution: Party;
  own: boolean;
  address: string;
}

/** Somebody to pay; with `at` somebody elsewhere, of whom nothing is known here but how the payer named them. */
export interface Payee extends Party {
  at?: Institution;
}

/** A payment to another institution, or from one. */
export interface Transfer {
  payment: string;
  institution: Party;
  asset: string;
  amount_minor: number;
  state: 'held' | 'offered' | 'captured' | 'cancelled' | 'refused';
  code: string;
  to?: string | null;
  note?: string | null;
  at: string;
}

export const hostOf = (one: Institution): string => {
  try { return new URL(one.address).host; } catch { return one.address; }
};
/** What an institution is called here: the name an operator gave it, else where it is. */
export const nameOfInstitution = (one: Institution): string => one.institution.name || hostOf(one) || `…${one.institution.id.slice(-6)}`;

/** `@nora@rival.example` as name and institution; null for what names no institution. */
export function readAddress(text: string): { payee: string; host: string } | null {
  const [, name = '', host = ''] = /^@([^@\s]+)@([^@\s/]+)$/.exec(text.trim()) ?? [];
  return name && host ? { payee: `@${name}`, host: host.toLowerCase() } : null;
}

export const payeeAt = (at: Institution, name: string, called = ''): Payee => ({ id: '', name: called || name, kind: '', at });

/** The institutions that can be paid from here, and this one. */
export function useInstitutions(): { others: Institution[]; own?: Institution; ready: boolean } {
  const { data, problem } = useAsk<Listed<Institution>>('/v1/clearing/institutions', { limit: 100 });
  const all = data?.items ?? [];
  return { others: all.filter((one) => !one.own), own: all.find((one) => one.own), ready: data !== undefined || problem !== undefined };
}

/** What a scanned code names: a shop's or person's id, which is no name for people. */
export const isId = (text: string): boolean => /^[0-9a-f]{32}$/.test(text);

/** Everybody elsewhere who was really paid lately, newest first. */
export function recentElsewhere(transfers: readonly Transfer[], others: readonly Institution[]): Payee[] {
  const seen = new Map<string, Payee>();
  for (const one of transfers) {
    const at = others.find((other) => other.institution.id === one.institution.id);
    if (at && one.to && one.state === 'captured' && !isId(one.to)) seen.set(`${one.institution.id} ${one.to.toLowerCase()}`, payeeAt(at, one.to));
  }
  return [...seen.values()];
}
