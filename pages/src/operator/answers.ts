/** What the API answers to operators, as far as the console reads it. */
import type { Party } from '../shared/answers';

export interface PersonItem {
  person: Party;
  tier: number;
  state: string;
  frozen_by: string;
  reason: string;
  opened: string;
}

export interface PersonCard {
  person: PersonItem;
  accounts: { account: string; asset: string; balance_minor: number; available_minor: number; held_minor: number; coming_minor: number }[];
  devices: number;
  aliases: number;
  contacts: number;
  trusted: number;
  roles: string[];
}

export interface Case {
  case: string;
  kind: 'hold' | 'report' | 'ring';
  payment: string | null;
  payer: Party | null;
  payee: Party | null;
  asset: string;
  amount_minor: number;
  reasons: { name: string; words: string }[];
  state: string;
  opened: string;
  until: string | null;
  opened_by: Party | null;
  text: string | null;
  members: Party[];
  appeals: { party: Party; text: string | null; at: string }[];
  decision: string | null;
  decided_by: Party | null;
  decided: string | null;
  reason: string | null;
}

export interface Dispute {
  order: string;
  buyer: Party;
  seller: Party;
  asset: string;
  amount_minor: number;
  held_minor: number;
  state: string;
  at: string;
  deadline: string;
  note: string | null;
}

export interface DisputeCard extends Dispute {
  may: string[];
  seller_minor: number;
  buyer_minor: number;
  carrier: Party | null;
  timeline: { at: string; step: string; party: Party | null; detail: string; text: string | null; seller_minor: number; buyer_minor: number }[];
}

export interface Reconciled {
  asset: string;
  nostro_minor: number;
  statement: number;
  statement_date: number;
  closing_minor: number;
  unlisted_minor: number;
  difference_minor: number;
  matched: number;
  open_entries: number;
  open_in_minor: number;
  open_out_minor: number;
  under_way: number;
  under_way_minor: number;
  problems: { kind: string; statement: number; expected_minor: number; found_minor: number }[];
}

export interface OpenItem {
  kind: 'booking' | 'withdrawal' | 'unlisted';
  ref: string;
  direction: 'in' | 'out' | 'back';
  amount_minor: number;
  since: string;
  why: string;
}

export interface Backed {
  asset: string;
  customers_minor: number;
  nostro_minor: number;
  claims_minor: number;
  own_minor: number;
  backed: boolean;
  ratio_of: number;
  ratio_to: number;
}

export interface Proposal {
  proposal: string;
  kind: 'set_limit' | 'set_parameter' | 'appoint' | 'dismiss';
  state: string;
  maker: Party;
  made: string;
  checker: Party | null;
  decided: string | null;
  mine: boolean;
  tier: number | null;
  asset: string | null;
  payment_minor: number | null;
  day_minor: number | null;
  year_minor: number | null;
  balance_minor: number | null;
  name: string | null;
  value: number | null;
  person: Party | null;
  role: string | null;
}

export interface Parameter {
  name: string;
  value: number;
  least: number;
  greatest: number;
}

export interface Tier {
  tier: number;
  payment_minor: number;
  day_minor: number;
  year_minor: number;
  balance_minor: number;
}

export interface Rule {
  kind: string;
  source: string;
  asset: string | null;
  minor: number;
  count: number;
  window_s: number;
  percent: number;
  words: string;
}

export interface RuleProposal {
  proposal: string;
  state: 'waiting' | 'approved' | 'rejected';
  maker: Party;
  made: string;
  based_on: number;
  items: Rule[];
  checker: Party | null;
  decided: string | null;
  version: number | null;
  mine: boolean;
}

export interface Position {
  institution: Party;
  asset: string;
  we_owe_minor: number;
  they_owe_minor: number;
  under_way_out_minor: number;
  under_way_in_minor: number;
  iban: string | null;
  their_reference: string;
  our_reference: string;
}

export interface Settlement {
  settlement: string;
  institution: Party;
  asset: string;
  amount_minor: number;
  direction: 'out' | 'in';
  state: 'waiting' | 'rejected' | 'sent' | 'received';
  bank_state: string;
  back_minor: number;
  maker: Party | null;
  made: string;
  checker: Party | null;
  decided: string | null;
  mine: boolean;
}

export interface AuditItem {
  number: number;
  at: string;
  actor: Party | null;
  action: string;
  subject: string;
  detail: string;
}

export interface SqlAnswer {
  columns: string[];
  rows: (string | number | null)[][];
  more: boolean;
  entry: number;
  time: string;
  milliseconds: number;
}

export const ROLES = ['operator', 'approver', 'auditor', 'arbiter'] as const;
