/** The mock's institution: health, cases, disputes, banks, rules; and the explorer's heads, signed by the real library. */
import { readFileSync } from 'node:fs';
import type { Routes } from './mock';
import { ago, id, party, text } from './mock-till';

type Any = Record<string, unknown>;
const vectors = JSON.parse(readFileSync(new URL('../tests/vectors/receipts.json', import.meta.url), 'utf8')) as { early_size: number; early: { head: { json: string } }; late: { head: { json: string } } };
const NAMES = ['Lena Novák', 'Tomáš Dvořák', 'Amélie Laurent', '王伟', 'Grant Office Help', 'Jonas Weber', 'Mei Tanaka', 'Ofelia Santos'];
const PEOPLE = NAMES.map((name, at) => party(at === 0 ? 1 : 200 + at, name));
const who = (at: number) => PEOPLE[at % PEOPLE.length] as (typeof PEOPLE)[number];
const page = (items: unknown[], next = '') => ({ items, next });
const reasons = (...names: string[]) => names.map((name) => ({ name, words: '' }));
const one = (at: number, kind: string, state: string, amount: number, why: string[], more: Any = {}): Any => ({ case: id(3000 + at), kind, payment: kind === 'ring' ? null : id(3100 + at), payer: kind === 'ring' ? null : who(at), payee: kind === 'ring' ? null : who(at + 4), asset: 'EUR', amount_minor: amount, reasons: reasons(...why), state, opened: ago(30 - at * 3), until: kind === 'hold' && state === 'open' ? ago(at * 3 - 20) : null, opened_by: kind === 'report' ? who(at) : null, text: null, members: [], appeals: [], decision: null, decided_by: null, decided: null, reason: null, ...more });
const cases: Any[] = [
  one(0, 'hold', 'open', 9_900, ['advance_fee', 'new_payee'], { appeals: [{ party: who(4), text: 'We are a registered office. The fee is normal.', at: ago(2) }] }),
  one(1, 'hold', 'open', 184_000, ['drain', 'new_payee']),
  one(2, 'ring', 'open', 412_500, ['mule_ring'], { members: [who(1), who(3), who(5), who(6), who(7)] }),
  one(3, 'report', 'open', 25_000, ['reported'], { text: 'He said the parcel was stuck in customs and I had to pay twice.' }),
  one(5, 'hold', 'open', 61_200, ['velocity']),
  one(6, 'hold', 'frozen', 33_000, ['payee_marked'], { until: null }),
  one(7, 'hold', 'released', 12_000, ['new_payee'], { decision: 'release', decided_by: who(0), decided: ago(20), reason: 'Called the payer: it is her landlord.' }),
];
const dispute = { order: id(6101), buyer: who(0), seller: who(6), asset: 'EUR', amount_minor: 48_000, held_minor: 48_000, seller_minor: 0, buyer_minor: 0, state: 'disputed', silence: 'refund', silence_s: 0, inspect_s: 0, carrier: null, at: ago(190), deadline: ago(-120), note: 'Walnut desk, made to order', may: ['decide'], milestones: [], timeline: [
  { at: ago(190), step: 'funded', party: who(0), detail: '', text: null }, { at: ago(120), step: 'shipped', party: who(6), detail: '', text: 'CZ 4411 2090 7' },
  { at: ago(60), step: 'disputed', party: who(0), detail: '', text: 'The top is cracked along the whole edge; photos attached.' }, { at: ago(40), step: 'answered', party: who(6), detail: '', text: 'It left my workshop whole. I offer to repair it for half the price.' },
] };
const disputes: Any[] = [dispute, { ...dispute, order: id(6102), note: 'Used bicycle', amount_minor: 18_000, held_minor: 18_000, buyer: who(3), seller: who(1) }];
const proposals: Any[] = [
  { proposal: id(4101), kind: 'set_parameter', state: 'waiting', maker: who(1), made: ago(5), checker: null, decided: null, mine: false, name: 'guard_hold_s', value: 43_200 },
  { proposal: id(4102), kind: 'set_limit', state: 'waiting', maker: who(2), made: ago(9), checker: null, decided: null, mine: false, tier: 1, asset: 'EUR', payment_minor: 150_000, day_minor: 300_000, year_minor: 3_000_000, balance_minor: 0 },
  { proposal: id(4103), kind: 'appoint', state: 'waiting', maker: who(0), made: ago(20), checker: null, decided: null, mine: true, person: who(5), role: 'arbiter' },
];
const parameters = Object.entries({ alias_rest_s: [2_592_000, 0, 315_360_000], clearing_timeout_s: [60, 1, 86_400], dispute_s: [1_209_600, 0, 31_536_000], escrow_silence_s: [1_209_600, 60, 31_536_000], exit_token_s: [300, 30, 86_400], guard_hold_s: [86_400, 60, 2_592_000], own_limit_delay_s: [86_400, 0, 2_592_000], payer_code_s: [60, 10, 600], recovery_asked_s: [604_800, 60, 7_776_000], recovery_delay_s: [86_400, 60, 7_776_000] }).map(([name, [value, least, greatest]]) => ({ name, value, least, greatest }));
const rule = (kind: string, source: string, more: Any): Any => ({ kind, source, asset: 'EUR', minor: 0, count: 0, window_s: 0, percent: 0, words: '', ...more });
const open: Any[] = [{ kind: 'booking', ref: id(701, 32), direction: 'in', amount_minor: 25_000, since: ago(50), why: 'no_reference' }, { kind: 'booking', ref: id(702, 32), direction: 'in', amount_minor: 4_250, since: ago(31), why: 'reference_unknown' }, { kind: 'booking', ref: id(703, 32), direction: 'out', amount_minor: 390, since: ago(22), why: 'no_reference' }];
const balances = [['EUR', 48_231_755, 48_612_340], ['CZK', 912_004_410, 914_000_000], ['JPY', 3_920_400, 3_920_400]] as const;
const gcd = (a: number, b: number): number => (b ? gcd(b, a % b) : a);
const hash = (seed: number) => id(seed, 32);
const NEWEST = 184_233;
const entry = (index: number): Any => ({ index, time: new Date(Date.now() - (NEWEST - index) * 4100).toISOString(), time_ns: String(BigInt(Date.now() - (NEWEST - index) * 4100) * 1_000_000n), kind: index % 7 === 0 ? 'tick' : index % 11 === 0 ? 'transfers' : 'commands', epoch: 1, records: index % 7 === 0 ? 0 : 1 + ((index * 7919) % 40), bytes: 90 + ((index * 104_729) % 9000), parent: hash(index - 1), hash: hash(index), digest: hash(index + 500_000) });
let asked = 91_220;
let seconds = 0;

const RIVAL = { id: id(9002), name: 'The Rival', kind: 'institution' };
const settlements: Any[] = [{ settlement: id(4401), institution: RIVAL, asset: 'EUR', amount_minor: 900_000, direction: 'out', state: 'waiting', bank_state: '', back_minor: 0, maker: who(1), made: ago(3), checker: null, decided: null, mine: false }, { settlement: id(4402), institution: RIVAL, asset: 'EUR', amount_minor: 420_000, direction: 'in', state: 'received', bank_state: '', back_minor: 0, maker: null, made: ago(80), checker: null, decided: null, mine: false }];
const dayBefore = (days: number) => Number(new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10).replaceAll('-', ''));

export const routes: Routes = {
  'GET /v1/guard/cases': ({ query }) => page(cases.filter((each) => each.state === (query.get('state') ?? 'open'))),
  'GET /v1/guard/case': ({ query }) => cases.find((each) => each.case === query.get('case')),
  'POST /v1/guard/decide': ({ body }) => { const found = cases.find((each) => each.case === body.case) ?? {}; Object.assign(found, { state: { release: 'released', return: 'returned', close: 'closed', freeze_payee: 'frozen' }[text(body.decision)], decision: body.decision, reason: body.reason, decided: ago(0), decided_by: who(0), until: null }); return {}; },
  'GET /v1/guard/rules': () => ({ version: 4, set: ago(900), items: [rule('new_payee', 'person', { minor: 50_000 }), rule('advance_fee', 'person', { minor: 1_000 }), rule('velocity', 'any', { minor: 200_000, count: 10, window_s: 3600 }), rule('drain', 'person', { minor: 30_000, percent: 80 }), rule('mule_ring', 'person', { minor: 10_000, count: 8, window_s: 604_800, percent: 80 }), rule('velocity', 'bank', { asset: null, count: 5, window_s: 3600 })] }),
  'GET /v1/guard/rule_proposals': () => page([]),
  'POST /v1/guard/propose_rules': () => ({ proposal: id(4301) }),
  'GET /v1/clearing/positions': () => ({ items: [{ institution: RIVAL, asset: 'EUR', we_owe_minor: 1_840_050, they_owe_minor: 0, under_way_out_minor: 12_300, under_way_in_minor: 0, iban: 'DE89370400440532013000', their_reference: 'RF18539007547034', our_reference: 'RF47000000001234' }] }),
  'GET /v1/clearing/settlements': ({ query }) => page(settlements.filter((each) => each.state === (query.get('state') || each.state))),
  'POST /v1/clearing/propose_settlement': ({ body }) => { settlements.unshift({ ...settlements[0], ...body, settlement: id(4400 + settlements.length), institution: RIVAL, state: 'waiting', bank_state: '', maker: who(0), checker: null, decided: null, mine: true }); return { settlement: id(4400) }; },
  'POST /v1/clearing/approve_settlement': ({ body }) => { Object.assign(settlements.find((each) => each.settlement === body.settlement) ?? {}, { state: 'sent', bank_state: 'asked', checker: who(0), decided: ago(0) }); return {}; },
  'POST /v1/clearing/reject_settlement': ({ body }) => { Object.assign(settlements.find((each) => each.settlement === body.settlement) ?? {}, { state: 'rejected', checker: who(0), decided: ago(0) }); return {}; },
  'POST /v1/clearing/bank-account': () => ({ our_reference: 'RF47000000001234' }),
  'GET /v1/escrow/disputes': () => page(disputes.filter((each) => each.state === 'disputed')),
  'GET /v1/escrow/order': ({ query }) => disputes.find((each) => each.order === query.get('order')),
  'POST /v1/escrow/decide': ({ body }) => { Object.assign(disputes.find((each) => each.order === body.order) ?? {}, { state: 'settled', may: [], held_minor: 0 }); return {}; },
  'GET /v1/wallet/people': ({ query }) => page(PEOPLE.map((person, at) => ({ person, tier: at % 3, state: at === 4 ? 'frozen' : 'open', frozen_by: at === 4 ? 'operator' : '', reason: at === 4 ? 'fraud' : '', opened: ago(2000 + at * 37) })).filter((each) => (!query.get('state') || each.state === query.get('state')) && each.person.id.startsWith(query.get('prefix') ?? ''))),
  'GET /v1/wallet/person': ({ query }) => { const found = PEOPLE.find((each) => each.id === query.get('person')) ?? who(0); const frozen = found === who(4); return { person: { person: found, tier: 1, state: frozen ? 'frozen' : 'open', frozen_by: frozen ? 'operator' : '', reason: frozen ? 'fraud' : '', opened: ago(2100) }, accounts: [{ account: id(41), asset: 'EUR', balance_minor: 134_750, available_minor: 124_850, held_minor: 9_900, coming_minor: 0 }, { account: id(42), asset: 'CZK', balance_minor: 1_830_000, available_minor: 1_830_000, held_minor: 0, coming_minor: 0 }], devices: 2, aliases: 1, contacts: 1, trusted: 2, roles: found === who(0) ? ['operator', 'arbiter'] : [] }; },
  'GET /v1/wallet/roles': () => ({ items: [{ person: who(0), role: 'operator' }, { person: who(1), role: 'operator' }, { person: who(2), role: 'approver' }, { person: who(5), role: 'auditor' }, { person: who(0), role: 'arbiter' }] }),
  'GET /v1/wallet/proposals': ({ query }) => page(proposals.filter((each) => each.state === (query.get('state') || each.state))),
  'POST /v1/wallet/propose': ({ body }) => { const { type, ...change } = body.change as Any; proposals.unshift({ proposal: id(4200 + proposals.length), kind: type, state: 'waiting', maker: who(0), made: ago(0), checker: null, decided: null, mine: true, ...change }); return { proposal: id(1) }; },
  'POST /v1/wallet/approve': ({ body }) => { Object.assign(proposals.find((each) => each.proposal === body.proposal) ?? {}, { state: 'approved', checker: who(0), decided: ago(0) }); return {}; },
  'POST /v1/wallet/reject': ({ body }) => { Object.assign(proposals.find((each) => each.proposal === body.proposal) ?? {}, { state: 'rejected', checker: who(0), decided: ago(0) }); return {}; },
  'GET /v1/wallet/parameters': () => ({ items: parameters }),
  'GET /v1/wallet/tiers': ({ query }) => ({ asset: query.get('asset'), items: [{ tier: 0, payment_minor: 15_000, day_minor: 15_000, year_minor: 250_000, balance_minor: 100_000 }, { tier: 1, payment_minor: 100_000, day_minor: 300_000, year_minor: 3_000_000, balance_minor: 1_500_000 }, { tier: 2, payment_minor: 1_000_000, day_minor: 2_000_000, year_minor: 0, balance_minor: 0 }] }),
  'GET /v1/wallet/audit': () => page(['freeze_person', 'propose', 'approve', 'set_tier', 'unfreeze_person', 'appoint'].map((action, at) => ({ number: 812 - at, at: ago(at * 5 + 0.3), actor: action === 'appoint' ? null : who(at % 3), action, subject: id(200 + at), detail: ['fraud', 'guard_hold_s=43200', '', '1 → 2', '', 'operator'][at] }))),
  'POST /v1/wallet/set_tier': () => ({}),
  'POST /v1/wallet/freeze_person': () => ({}),
  'POST /v1/wallet/unfreeze_person': () => ({}),
  'GET /v1/bank/reconciliation': () => ({ items: [{ asset: 'EUR', nostro_minor: 48_612_340, statement: 211, statement_date: 20_261_121, closing_minor: 48_390_090, unlisted_minor: 222_250, difference_minor: 0, matched: 10_482, open_entries: open.length, open_in_minor: 29_250, open_out_minor: 390, under_way: 4, under_way_minor: 91_200, problems: [] }, { asset: 'CZK', nostro_minor: 914_000_000, statement: 198, statement_date: 20_261_121, closing_minor: 913_988_800, unlisted_minor: 0, difference_minor: 11_200, matched: 3_310, open_entries: 0, open_in_minor: 0, open_out_minor: 0, under_way: 0, under_way_minor: 0, problems: [{ kind: 'opening_differs', statement: 198, expected_minor: 901_112_000, found_minor: 901_123_200 }] }] }),
  'GET /v1/bank/open_items': ({ query }) => page(query.get('asset') === 'EUR' && (query.get('kind') ?? 'booking') === 'booking' ? open : []),
  'POST /v1/bank/assign': ({ body }) => { open.splice(open.findIndex((each) => each.ref === body.entry_ref), 1); return {}; },
  'POST /v1/bank/send_back': ({ body }) => { open.splice(open.findIndex((each) => each.ref === body.entry_ref), 1); return {}; },
  'POST /v1/bank/take_own': ({ body }) => { open.splice(open.findIndex((each) => each.ref === body.entry_ref), 1); return {}; },
  'GET /v1/bank/backing': () => ({ at: ago(0), items: balances.map(([asset, customers, nostro]) => { const common = gcd(customers, nostro); return { asset, customers_minor: customers, nostro_minor: nostro, claims_minor: 0, own_minor: nostro - customers, backed: true, ratio_of: nostro / common, ratio_to: customers / common }; }) }),
  'GET /v1/bank/backing_days': ({ query }) => page(balances.filter(([asset]) => asset === query.get('asset')).flatMap(([asset, customers, nostro]) => Array.from({ length: 45 }, (_, at) => ({ day: dayBefore(at), asset, at: ago(24 * at), entry: NEWEST - 900 * at, customers_minor: customers - 3_100 * at, nostro_minor: nostro - 3_100 * at - (at === 17 ? 900_000 : 0), transit_minor: (at * 311) % 9_000, claims_minor: 0, own_minor: nostro - customers, statement: 211 - at, closing_minor: nostro, unlisted_minor: 0, difference_minor: at === 30 ? -350 : 0, verdict: at === 17 ? 'short' : at === 30 ? 'unexplained' : 'backed' })))),
  'GET /v1/operator/tables': () => ({ tables: { accounts: ['id', 'asset', 'code', 'flags', 'debits_posted', 'credits_posted'], transfers: ['id', 'debit', 'credit', 'amount_minor', 'asset', 'code', 'time_ns'], shop_sales: ['payment', 'shop', 'till', 'amount_minor', 'state'], wallet_people: ['person', 'tier', 'state'] } }),
  'POST /v1/operator/sql': () => ({ columns: ['code', 'asset', 'accounts', 'balance_minor'], rows: [[1000, 'EUR', 1412, 41_220_118], [1000, 'CZK', 377, 912_004_410], [1300, 'EUR', 1, -48_612_340], [1400, 'EUR', 38, 7_011_637], [1401, 'EUR', 1, 380_585]], more: false, entry: NEWEST, time: ago(0), milliseconds: 7 }),
  'GET /v1/accounts/{account}': ({ path }) => ({ id: BigInt(path.account ?? '0').toString(16).padStart(32, '0'), asset: 'EUR', code: 1000, flags: 2, debits_posted: '904511', credits_posted: '1039261', debits_held: '9900', credits_held: '0', transfers: '214', opened: ago(2100) }),
  'GET /v1/head': ({ query, reply }) => { reply.setHeader('Content-Type', 'application/json'); reply.end(Number(query.get('since') ?? 0) === vectors.early_size ? vectors.late.head.json : vectors.early.head.json); return null; },
  'GET /v1/entries': ({ query }) => { const before = Number(query.get('after') || NEWEST + 1); const limit = Number(query.get('limit') ?? 20); const items = Array.from({ length: Math.min(limit, before - 1) }, (_, at) => entry(before - 1 - at)); return { items, next: String(before - limit) }; },
  'GET /v1/entries/{index}': ({ path }) => (Number(path.index) <= NEWEST && Number(path.index) > 0 ? entry(Number(path.index)) : undefined),
};

/** What stands outside /v1: health, readiness, metrics. */
export const plain: Record<string, () => { type: string; body: string }> = {
  '/health': () => ({ type: 'application/json', body: JSON.stringify({ status: 'ok', version: '0.3.0', sandbox: true }) }),
  '/ready': () => ({ type: 'application/json', body: JSON.stringify({ status: 'ready', ledger: 'ok', vault: 'ok', store: 'ok', entry: NEWEST }) }),
  '/metrics': () => {
    seconds += 1;
    asked += Math.round(180 + 90 * Math.sin(seconds / 4) + 40 * Math.sin(seconds * 1.7));
    const routes_ = [['/v1/pay/send', 0.31], ['/v1/shop/new_order', 0.18], ['/v1/pay/activity', 0.22], ['/v1/wallet/accounts', 0.2], ['/v1/codes:read', 0.09]] as const;
    const buckets = [[0.001, 0.42], [0.002, 0.71], [0.005, 0.93], [0.01, 0.982], [0.025, 0.996], [0.05, 0.999], ['+Inf', 1]] as const;
    return { type: 'text/plain', body: [
      ...routes_.map(([route, part]) => `formicary_requests_total{method="POST",route="${route}",status="200"} ${Math.round(asked * part)}`),
      ...buckets.map(([bound, part]) => `formicary_request_seconds_bucket{le="${bound}",route="/v1/pay/send"} ${Math.round(asked * part)}`),
      'formicary_refusals_total{code="exceeds_funds"} 214', 'formicary_refusals_total{code="code_expired"} 88', 'formicary_refusals_total{code="limit_day"} 31', 'formicary_refusals_total{code="code_used"} 12',
      `formicary_ledger_entries ${NEWEST}`, 'formicary_ledger_accounts 1830', 'formicary_ledger_transfers 642118', 'formicary_ledger_unsealed_entries 2', 'formicary_live_streams 41', '',
    ].join('\n') };
  },
};
