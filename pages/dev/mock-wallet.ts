/** The mock's answers for the wallet: one person with a believable past, kept in memory. */
import { Refused, type Routes } from './mock';

type Any = Record<string, unknown>;
const hex = (seed: number, bytes = 16) => Array.from({ length: bytes }, (_, index) => ((seed * 2654435761 + index * 40503 * (seed + 7)) >>> ((index % 3) * 5)) & 255).map((byte) => byte.toString(16).padStart(2, '0')).join('');
const person = (seed: number, name: string, kind = 'person') => ({ id: hex(seed), name, kind });
const ME = person(1, 'Lena Novák');
const PEOPLE: Record<string, ReturnType<typeof person>> = { tomas: person(12, 'Tomáš Dvořák'), amelie: person(33, 'Amélie Laurent'), wei: person(58, '王伟'), cafe: person(71, 'Café Mravenec', 'shop'), kiln: person(94, 'Kiln & Clay', 'shop'), grant: person(117, 'Grant Office Help') };
const P = (name: string) => PEOPLE[name] as ReturnType<typeof person>;
const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
const state = {
  signedIn: !process.env.SIGNED_OUT,
  frozen: false,
  purses: [{ asset: 'EUR', available: 124_850, held: 9_900 }, { asset: 'CZK', available: 1_830_000, held: 0 }, { asset: 'JPY', available: 42_000, held: 0 }],
  orders: new Map<string, Any>(),
};
let made = 1000;
const line = (hours: number, kind: string, direction: string, other: unknown, amount: number, note: string | null = null, purpose = 'other', now = 'paid', asset = 'EUR'): Any => ({ payment: hex((made += 1)), at: ago(hours), kind, direction, other, asset, amount_minor: amount, state: now, note, purpose, reference: null });
const activity: Any[] = [
  line(0.4, 'shop', 'out', P('cafe'), 640, null, 'goods'),
  line(3, 'sent', 'out', P('grant'), 9_900, 'activation fee', 'fee_for_money', 'held'),
  line(5, 'sent', 'in', P('tomas'), 2_350, 'Cinema 🎬', 'friend'),
  line(26, 'top_up', 'in', null, 50_000),
  line(30, 'packet_opened', 'in', P('wei'), 888, '恭喜发财', 'friend'),
  line(52, 'escrow', 'out', P('kiln'), 7_450, 'Hand-thrown teapot', 'goods'),
  line(75, 'order', 'out', P('amelie'), 62_000, 'Rent', 'rent'),
  line(120, 'shop', 'out', P('cafe'), 1_180, null, 'goods'),
  line(200, 'sent', 'out', P('tomas'), 4_000, 'Concert', 'friend', 'returned'),
  line(420, 'withdrawal', 'out', null, 20_000, null, 'other', 'under_way'),
  line(800, 'sent', 'in', P('amelie'), 15_000, 'Birthday', 'family'),
];
const reasons = [{ name: 'advance_fee', words: '' }, { name: 'new_payee', words: '' }];
const hold = () => ({ case: hex(5001), payment: activity[1]?.payment, direction: 'out', other: P('grant'), asset: 'EUR', amount_minor: 9_900, reasons, state: 'open', held: ago(3), until: ago(-21), recallable: true, appealed: false });
const isHeld = () => activity[1]?.state === 'held';
const page = (items: unknown[]) => ({ items, next: '' });
const purse = (asset: string) => state.purses.find((one) => one.asset === asset);
const svg = (text: string) => {
  const size = 29;
  let cells = '';
  const finder = (x: number, y: number) => x < 8 && y < 8 ? [x, y] : x > 20 && y < 8 ? [28 - x, y] : x < 8 && y > 20 ? [x, 28 - y] : null;
  for (let y = 0; y < size; y += 1) for (let x = 0; x < size; x += 1) {
    const at = finder(x, y);
    const [a = 9, b = 9] = at ?? [];
    const on = at ? Math.max(Math.abs(a - 3), Math.abs(b - 3)) !== 2 && Math.max(a, b) < 7 : ((x * 7 + y * 13 + (text.charCodeAt((x * y) % text.length) || 0)) * 31) % 7 < 3;
    if (on) cells += `M${x + 2} ${y + 2}h1v1h-1z`;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 33 33" shape-rendering="crispEdges"><rect width="33" height="33" fill="#fff"/><path d="${cells}" fill="#000"/></svg>`;
};
const bars = (text: string) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 60" preserveAspectRatio="none"><rect width="200" height="60" fill="#fff"/>${[...text].map((sign, at) => `<rect x="${8 + at * 10}" width="${2 + (Number(sign) % 3)}" height="60"/><rect x="${13 + at * 10}" width="${1 + (Number(sign) % 2)}" height="60"/>`).join('')}</svg>`;
const escrow = (id: string, now: string, more: Any = {}): Any => ({ order: id, buyer: ME, seller: P('kiln'), asset: 'EUR', amount_minor: 7_450, held_minor: 7_450, seller_minor: 0, buyer_minor: 0, state: now, silence: 'refund', silence_s: 0, inspect_s: 0, carrier: null, at: ago(52), deadline: ago(-120), note: 'Hand-thrown teapot', may: ['confirm', 'extend', 'dispute'], milestones: [], timeline: [{ at: ago(52), step: 'funded', party: ME, detail: '', text: null }, { at: ago(20), step: 'shipped', party: P('kiln'), detail: '', text: 'CZ 4411 2090 7' }], ...more });
state.orders.set(hex(6001), escrow(hex(6001), 'shipped'));
state.orders.set(hex(6002), escrow(hex(6002), 'funded', { note: 'Walnut desk, made to order', seller: P('amelie'), amount_minor: 48_000, held_minor: 48_000, may: ['cancel', 'confirm', 'extend', 'dispute'], timeline: [{ at: ago(4), step: 'funded', party: ME, detail: '', text: null }], at: ago(4) }));
Object.assign(state.orders.get(hex(6002)) ?? {}, { carrier_key: hex(6100, 32), code: hex(6101, 32), may: ['cancel', 'confirm', 'extend', 'dispute', 'accept_milestone', 'deliver'], milestones: [{ number: 1, share_minor: 16_000, label: 'Wood bought', accepted: '1970-01-01T00:00:00Z' }, { number: 2, share_minor: 32_000, label: null, accepted: '1970-01-01T00:00:00Z' }] });
state.orders.set(hex(6003), escrow(hex(6003), 'settled', { note: 'Second-hand bicycle', seller: P('tomas'), amount_minor: 18_000, held_minor: 0, may: [], at: ago(700) }));
const RIVAL = person(9002, 'Rival', 'institution');
const transfers: Any[] = [];
const pool = { pool: hex(6501), maker: P('kiln'), asset: 'EUR', price_minor: 2_400, places: 9, places_min: 12, places_max: 30, my_places: 0, members: 6, held_minor: 21_600, maker_minor: 0, state: 'open', until: ago(-200), note: 'A run of blue bowls', stages: [{ number: 1, weight: 1, share_minor: 0, label: 'Thrown', places_for: 0, accepted: '1970-01-01T00:00:00Z' }, { number: 2, weight: 1, share_minor: 0, label: 'Glazed and sent', places_for: 0, accepted: '1970-01-01T00:00:00Z' }] };
const shopOrder = { order: hex(7001), shop: P('cafe'), till: null, asset: 'EUR', amount_minor: 1_250, tip: 'ask', tip_value: 0, tip_minor: 0, number: 'T1-0042', until: ago(-0.3), many: false, exit: true, state: 'open', made: ago(0.05), payment: null };
const spending = Array.from({ length: 6 }, (_, back) => {
  const at = new Date();
  at.setUTCDate(15);
  at.setUTCMonth(at.getUTCMonth() - back);
  const month = at.getUTCFullYear() * 100 + at.getUTCMonth() + 1;
  return [['rent', 62_000], ['goods', 21_000 + back * 3700], ['friend', 8_000 + ((back * 5100) % 9000)], ['family', back % 2 ? 12_000 : 3_000]].map(([purpose, amount_minor]) => ({ month, purpose, payments: 3 + back, amount_minor }));
}).flat();
const find = (text: string) => {
  const bare = text.replace(/^@/, '').toLowerCase();
  return PEOPLE[bare] ?? Object.values(PEOPLE).find((one) => one.id === bare) ?? (bare === 'lena' ? ME : undefined);
};
const paid = (payment: string, held = false) => ({ payment, state: held ? 'held' : 'paid', reasons: held ? ['advance_fee', 'new_payee'] : [], exit_until: null });

export const routes: Routes = {
  'GET /v1/session': () => (state.signedIn ? { person: ME, roles: [], confirmed_until: '', session: {} } : new Refused('not_signed_in', 'Sign in first.', 401)),
  'DELETE /v1/session': () => { state.signedIn = false; return {}; },
  'POST /v1/sign-up/begin': () => ({ ticket: 't', options: {} }),
  'POST /v1/sign-up/finish': () => { state.signedIn = true; return { person: ME }; },
  'POST /v1/sign-in/begin': () => ({ ticket: 't', options: {} }),
  'POST /v1/sign-in/pin': ({ body }) => (body.pin === '000000' ? new Refused('pin_refused', '', 401) : ((state.signedIn = true), { person: ME })),
  'POST /v1/confirm/begin': () => ({ ticket: 't', options: {} }),
  'POST /v1/confirm/finish': () => ({ until: ago(-0.1) }),
  'GET /v1/sessions': () => ({ items: [{ name: 'a', browser: 'Chrome on Android', made: ago(200), used: ago(0), current: true }, { name: 'b', browser: 'Firefox on Linux', made: ago(900), used: ago(31), current: false }] }),
  'GET /v1/profile': () => ({ id: ME.id, name: ME.name, alias: 'lena', language: 'en', phone: '', mail: 'lena@example.org', findable: false }),
  'PATCH /v1/profile': () => ({}),
  'GET /v1/profile/uses': () => ({ items: [{ reader: P('tomas'), what: 'name', purpose: 'shown beside a payment or a search', times: 4, newest: ago(5) }, { reader: P('cafe'), what: 'name', purpose: 'payment', times: 1, newest: ago(30) }] }),
  'GET /v1/grants': () => ({ items: [{ grant: 'g', client: 'c', name: 'Budget Bee', scopes: ['pay:read'], given: ago(300), used: ago(8) }] }),
  'GET /v1/parties': ({ query }) => find(query.get('find') ?? '') ?? new Refused('person_not_found', 'Nobody.', 404),
  'GET /v1/wallet/me': () => ({ person: ME, tier: 1, state: state.frozen ? 'frozen' : 'open', opened: ago(4000), frozen_by: state.frozen ? 'self' : '', aliases: 1, contacts: 1, devices: 2, roles: [] }),
  'GET /v1/wallet/accounts': () => ({ items: state.purses.map((one, at) => ({ account: hex(200 + at), asset: one.asset, balance_minor: one.available + one.held, available_minor: one.available, held_minor: one.held })) }),
  'GET /v1/wallet/limits': ({ query }) => ({ asset: query.get('asset'), tier: 1, payment_minor: 100_000, day_minor: 200_000, year_minor: 1_500_000, balance_minor: 1_000_000, own_payment_minor: 0, own_day_minor: 50_000, raise_payment_minor: 0, raise_day_minor: 0, raise: null, spent_day_minor: 10_540, spent_year_minor: 400_000 }),
  'POST /v1/wallet/set_own_limit': () => ({}),
  'GET /v1/wallet/devices': () => ({ items: [{ device: hex(301), kind: 'passkey', label: 'Pixel 9', added: ago(4000) }, { device: hex(302), kind: 'pin', label: null, added: ago(3000) }] }),
  'GET /v1/wallet/trusted': () => ({ items: [{ person: P('tomas'), since: ago(2000) }, { person: P('amelie'), since: ago(1000) }], trusted_by: [{ person: P('wei'), since: ago(500) }] }),
  'GET /v1/wallet/recoveries': () => ({ items: [], to_vouch: [] }),
  'POST /v1/wallet/freeze': () => { state.frozen = true; return {}; },
  'POST /v1/wallet/unfreeze': () => { state.frozen = false; return {}; },
  'GET /v1/pay/activity': ({ query }) => page(activity.filter((one) => !query.get('asset') || one.asset === query.get('asset')).slice(0, Number(query.get('limit') ?? 20))),
  'GET /v1/pay/payment': ({ query }) => activity.find((one) => one.payment === query.get('payment')) ?? new Refused('payment_not_found', '', 404),
  'GET /v1/pay/requests': ({ query }) => page(query.get('direction') === 'out' ? [] : [{ request: hex(401), payee: P('tomas'), payer: ME, asset: 'EUR', amount_minor: 1_200, purpose: 'friend', note: 'Pizza', split: null, made: ago(2), until: ago(-700), state: 'open', payment: null }]),
  'GET /v1/pay/request': ({ query }) => ({ request: query.get('request'), payee: P('tomas'), payer: ME, asset: 'EUR', amount_minor: 1_200, purpose: 'friend', note: 'Pizza', split: null, made: ago(2), until: ago(-700), state: 'open', payment: null }),
  'GET /v1/pay/packets': () => page([]),
  'GET /v1/pay/packet': ({ query }) => ({ packet: query.get('packet'), giver: P('wei'), asset: 'EUR', total_minor: 8_888, shares: 5, opened: 2, how: 'drawn', note: '恭喜发财', made: ago(1), until: ago(-20), state: 'open', mine_minor: 0, openings: [{ party: P('tomas'), amount_minor: 1_233 }] }),
  'GET /v1/pay/orders': () => page([{ order: hex(501), payee: P('amelie'), asset: 'EUR', amount_minor: 62_000, purpose: 'rent', note: 'Rent', first: ago(2000), every: 'month', times: 0, runs: 7, failures: 0, due: ago(-400), state: 'active' }]),
  'GET /v1/pay/spending': () => ({ items: spending }),
  'POST /v1/pay/send': ({ body }) => {
    const from = purse(String(body.asset));
    const amount = Number(body.amount_minor);
    if (!from || from.available < amount) return new Refused('exceeds_funds', 'Not enough.');
    const held = body.purpose === 'fee_for_money';
    from.available -= amount;
    const one = line(0, 'sent', 'out', find(String(body.payee)), amount, body.note as string | null, String(body.purpose), held ? 'held' : 'paid', String(body.asset));
    activity.unshift(one);
    return paid(String(one.payment), held);
  },
  'POST /v1/pay/accept_request': () => paid(String(activity[0]?.payment)),
  'POST /v1/guard/recall': () => { if (activity[1]) activity[1].state = 'returned'; return {}; },
  'POST /v1/guard/appeal': () => ({}),
  'GET /v1/guard/holds': ({ query }) => page(isHeld() && query.get('direction') !== 'in' ? [hold()] : []),
  'GET /v1/guard/hold': () => hold(),
  'POST /v1/codes:read': ({ body }) => (String(body.text).startsWith('000201') ? { kind: 'other_scheme', payable: false, code: 'scheme_unknown', why: 'This is a code of another scheme, and no route leads there.' } : { kind: 'shop_order', order: shopOrder.order, payable: true }),
  'GET /v1/my-code': () => { const digits = String(Math.floor(Math.random() * 1e18)).padStart(18, '2'); return { text: digits, digits, until: new Date(Date.now() + 60_000).toISOString(), qr: svg(digits), barcode: bars(digits) }; },
  'GET /v1/qr': ({ query, reply }) => { reply.setHeader('Content-Type', 'image/svg+xml'); reply.end(svg(query.get('text') ?? 'x')); return null; },
  'GET /v1/shop/order': () => shopOrder,
  'GET /v1/shop/shop': () => ({ shop: P('cafe'), state: 'open', country: 'CZ', category: 5814, assets: ['EUR', 'CZK'] }),
  'POST /v1/shop/pay_order': () => ({ ...paid(String(activity[0]?.payment)), exit_until: ago(-0.08) }),
  'POST /v1/shop/pay_till': () => paid(String(activity[0]?.payment)),
  'POST /v1/shop/exit-token': () => ({ text: 'exit', until: ago(-0.08) }),
  'GET /v1/escrow/orders': ({ query }) => page(query.get('role') === 'seller' ? [] : [...state.orders.values()]),
  'GET /v1/escrow/order': ({ query }) => state.orders.get(query.get('order') ?? '') ?? new Refused('order_not_found', '', 404),
  'POST /v1/escrow/buy': ({ body }) => { const id = hex((made += 1)); state.orders.set(id, escrow(id, 'funded', { note: body.note, amount_minor: body.amount_minor, held_minor: body.amount_minor, seller: find(String(body.seller)), may: ['cancel', 'confirm', 'dispute'] })); return { order: id }; },
  'POST /v1/escrow/accept_milestone': ({ body }) => { const one = state.orders.get(String(body.order)); const part = (one?.milestones as Any[] | undefined)?.find((each) => each.number === body.number); if (one && part) { part.accepted = ago(0); Object.assign(one, { held_minor: Number(one.held_minor) - Number(part.share_minor), seller_minor: Number(one.seller_minor) + Number(part.share_minor) }); } return {}; },
  'GET /v1/escrow/pools': ({ query }) => page(query.get('which') === 'open' ? [pool] : []),
  'GET /v1/escrow/pool': () => ({ ...pool, may: pool.my_places > 0 ? ['leave_pool'] : ['join_pool'] }),
  'POST /v1/escrow/join_pool': ({ body }) => { const places = Number(body.places); Object.assign(pool, { my_places: places, places: pool.places + places, members: pool.members + 1, held_minor: pool.held_minor + places * pool.price_minor }); return { payment: hex((made += 1)) }; },
  'POST /v1/escrow/leave_pool': () => { Object.assign(pool, { places: pool.places - pool.my_places, held_minor: pool.held_minor - pool.my_places * pool.price_minor, members: pool.members - 1, my_places: 0 }); return {}; },
  'GET /v1/clearing/institutions': () => page([{ institution: person(9001, 'Formicary', 'institution'), own: true, address: 'http://localhost:5173' }, { institution: RIVAL, own: false, address: 'https://rival.example' }]),
  'GET /v1/clearing/transfers': ({ query }) => page(query.get('direction') === 'in' ? [] : transfers.filter((one) => !query.get('payment') || one.payment === query.get('payment'))),
  'POST /v1/clearing/payments': ({ body }) => {
    const one: Any = { payment: hex((made += 1)), institution: RIVAL, asset: body.asset, amount_minor: body.amount_minor, state: 'offered', code: '', to: body.payee, note: body.note, at: ago(0) };
    transfers.unshift(one);
    setTimeout(() => Object.assign(one, String(body.payee).includes('nobody') ? { state: 'refused', code: 'person_unknown' } : { state: 'captured' }), 4000);
    return { payment: one.payment, state: 'offered', reasons: [] };
  },
  'POST /v1/clearing/cancel_out': ({ body }) => { const one = transfers.find((each) => each.payment === body.transfer); if (one) one.state = 'cancelled'; return {}; },
  'POST /v1/escrow/cancel': ({ body }) => { const one = state.orders.get(String(body.order)); if (one) Object.assign(one, { state: 'settled', held_minor: 0, may: [] }); return {}; },
  'GET /v1/bank/reference': () => ({ reference: 'RF18000042', reference_spaced: 'RF18 0000 42', iban: 'CZ6508000000192000145399', bic: 'GIBACZPX', name: 'Formicary Sandbox', asset: 'EUR' }),
  'GET /v1/bank/accounts': () => ({ items: [{ account_ref: hex(801), iban: 'CZ6508000000192000145399', linked: ago(900) }] }),
  'GET /v1/bank/withdrawals': () => page([{ withdrawal: hex(802), asset: 'EUR', amount_minor: 20_000, account_ref: hex(801), asked: ago(420), state: 'instructed' }]),
  'GET /v1/bank/backing': () => ({ at: ago(0), items: [{ asset: 'EUR', backed: true, customers_minor: 1, nostro_minor: 1 }] }),
  'GET /v1/oauth/requests/{request}': () => ({ request: 'r', client: 'c', name: 'Budget Bee', redirect_host: 'budget.example', scopes: [{ scope: 'pay:read', words: '' }, { scope: 'pay:write', words: '' }] }),
  'GET /v1/events': ({ reply }) => { reply.setHeader('Content-Type', 'text/event-stream'); reply.write(': hello\n\n'); return null; },
};
