/** What the API answers, as far as the pages read it. Times are RFC 3339 text, money integers of minor units. */

export interface Party {
  id: string;
  name: string;
  kind: 'person' | 'shop' | 'institution' | '';
}

export interface Person {
  person: Party;
  tier: number;
  state: string;
  opened?: string;
  frozen_by?: string;
  roles?: string[];
}

export interface Profile {
  name: string;
  alias: string;
  language?: string;
  phone?: string;
  mail?: string;
  findable?: boolean;
}

export interface Purse {
  account: string;
  asset: string;
  balance_minor: number;
  available_minor: number;
  held_minor: number;
}

export interface Activity {
  payment: string;
  at: string;
  kind: string;
  direction: 'in' | 'out';
  other: Party;
  asset: string;
  amount_minor: number;
  state: string;
  note?: string | null;
  purpose?: string;
  reference?: string | null;
}

export interface Sent {
  payment: string;
  state: string;
  reasons: string[];
}

export interface Found {
  id: string;
  name: string;
  kind: string;
  institution?: string;
}
