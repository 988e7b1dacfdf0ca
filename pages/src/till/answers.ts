/** What the shop's API answers, as far as the till reads it. */
import type { Party } from '../shared/answers';

export type Role = 'owner' | 'manager' | 'cashier';

export interface ShopLine {
  shop: Party;
  role: Role;
  state: string;
}

export interface ShopAccount {
  account: string;
  asset: string;
  balance_minor: number;
  waiting_minor: number;
  held_minor: number;
}

export interface ShopCard {
  shop: Party;
  state: string;
  country: string;
  category: number;
  assets: string[];
  tariff: string;
  opened: string;
  role: Role | '';
  accounts: ShopAccount[];
  settlement_days: number | null;
  settlement_cut_minute: number | null;
  settles_to_bank: boolean | null;
}

export interface Till {
  till: string;
  label: string | null;
  tip: string;
  state: string;
}

export interface StaffLine {
  person: Party;
  role: Role;
  since: string;
}

export interface Order {
  order: string;
  till: string | null;
  asset: string;
  amount_minor: number;
  tip: string;
  tip_value: number;
  tip_minor: number;
  number: string;
  until: string;
  many: boolean;
  exit: boolean;
  state: string;
  made: string;
  payment?: string | null;
}

export interface Sale {
  payment: string;
  order: string | null;
  till: string | null;
  asset: string;
  amount_minor: number;
  tip_minor: number;
  fee_minor: number;
  refunded_minor: number;
  fee_back_minor: number;
  number: string;
  state: string;
  at: string;
}

export interface SaleCard {
  sale: Sale;
  left_minor: number;
  refunds: { refund: string; amount_minor: number; fee_back_minor: number; reason: string; at: string }[];
}

export interface Paid {
  payment: string;
  state: 'paid' | 'held';
  reasons: string[];
}

export interface Total {
  asset: string;
  sales: number;
  gross_minor: number;
  tip_minor: number;
  fee_minor: number;
  refunds: number;
  refunded_minor: number;
  fee_back_minor: number;
  net_minor: number;
}

export interface Report {
  till: string | null;
  number: number;
  from: string;
  to: string;
  totals: Total[];
}

export interface Tariff {
  name: string;
  asset: string;
  fixed_minor: number;
  rate_per_100000: number;
  from: string;
  state: 'past' | 'current' | 'announced';
}

export interface Settlement {
  settlement: string;
  asset: string;
  amount_minor: number;
  paid_minor: number;
  state: string;
  cut: string;
  due: string;
}

export interface Stay {
  stay: string;
  asset: string;
  deposit_minor: number;
  until: string;
  state: string;
  guest: Party | null;
  folio_minor: number;
  folio: { amount_minor: number; label: string | null; at: string }[];
  payment: string | null;
}

export interface Drawn {
  text: string;
  link: string;
  qr: string;
  until?: string;
}

/** What somebody with a role may do in a shop; the ledger has the last word. */
export const MAY = {
  refund: (role: string) => role === 'owner' || role === 'manager',
  manage: (role: string) => role === 'owner' || role === 'manager',
  own: (role: string) => role === 'owner',
};
