/** The mock's shop: a bakery with a day behind it; an order is paid by itself after some seconds. */
import type { ServerResponse } from 'node:http';
import { Refused, type Routes } from './mock';

type Any = Record<string, unknown>;
export const id = (seed: number, bytes = 16) => Array.from({ length: bytes }, (_, at) => ((seed * 48271 + at * at * 977 + at * 31 * (seed + 11)) >>> (at % 5)) & 255).map((byte) => byte.toString(16).padStart(2, '0')).join('');
export const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
export const party = (seed: number, name: string, kind = 'person') => ({ id: id(seed), name, kind });
export const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
const SHOP = party(71, 'Boulangerie Ficelle', 'shop');
const OTHER = party(72, 'Café Mravenec', 'shop');
const TILLS: Any[] = [{ till: id(401), label: 'Comptoir', tip: 'none', state: 'open' }, { till: id(402), label: 'Terrasse', tip: 'ask', state: 'open' }, { till: id(403), label: 'Marché du samedi', tip: 'none', state: 'open' }];
const STAFF: Any[] = [{ person: party(1, 'Lena Novák'), role: 'owner', since: ago(9000) }, { person: party(33, 'Amélie Laurent'), role: 'manager', since: ago(4100) }, { person: party(58, '王伟'), role: 'cashier', since: ago(700) }];
let made = 9000;
const sales: Any[] = [];
const refunds = new Map<string, Any[]>();
const sale = (hours: number, amount: number, more: Any = {}): Any => ({ payment: id((made += 1)), order: null, till: TILLS[made % 3 ? 0 : 1]?.till, asset: 'EUR', amount_minor: amount, tip_minor: 0, fee_minor: Math.floor(amount * 0.008), refunded_minor: 0, fee_back_minor: 0, number: made % 2 ? `T1-0${made % 1000}` : '', state: 'paid', at: ago(hours), ...more });
for (const [at, amount] of [620, 1_240, 385, 2_750, 960, 5_400, 310, 1_875, 440, 3_260, 790, 12_900, 1_015, 560, 2_080, 895, 1_330, 470].entries()) sales.push(sale(0.15 + at * at * 0.19, amount, at % 5 === 2 ? { tip_minor: 150 } : {}));
Object.assign(sales[3] as Any, { refunded_minor: 1_100, fee_back_minor: 8 });
refunds.set(text(sales[3]?.payment), [{ refund: id(8801), amount_minor: 700, fee_back_minor: 5, reason: 'returned', at: ago(1.2) }, { refund: id(8802), amount_minor: 400, fee_back_minor: 3, reason: 'goodwill', at: ago(0.8) }]);
Object.assign(sales[5] as Any, { state: 'held' });
const orders = new Map<string, Any>();
const reports: Any[] = [];
const streams = new Set<ServerResponse>();
let told = 1;

function happen(name: string, data: Any): void {
  told += 1;
  for (const stream of streams) stream.write(`id: ${told}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}

function pay(order: Any): void {
  if (order.state !== 'open') return;
  const tip = order.tip === 'ask' ? 200 : 0;
  const held = order.amount_minor === 66_600;
  const done = sale(0, order.amount_minor as number, { order: order.order, till: order.till, tip_minor: tip, number: order.number, state: held ? 'held' : 'paid' });
  sales.unshift(done);
  if (!order.many) Object.assign(order, { state: held ? 'held' : 'paid', payment: done.payment });
  happen('shop.sale_made', { ...done, shop: SHOP });
}

function totals(of: readonly Any[]): Any[] {
  const sum = (name: string) => of.reduce((all, one) => all + (one[name] as number), 0);
  const given = of.filter((one) => (one.refunded_minor as number) > 0).length;
  if (of.length === 0) return [];
  const parts = { gross_minor: sum('amount_minor'), tip_minor: sum('tip_minor'), fee_minor: sum('fee_minor'), refunded_minor: sum('refunded_minor'), fee_back_minor: sum('fee_back_minor') };
  return [{ asset: 'EUR', sales: of.length, refunds: given, ...parts, net_minor: parts.gross_minor + parts.tip_minor - parts.fee_minor - parts.refunded_minor + parts.fee_back_minor }];
}

const since = (hours: number) => sales.filter((one) => Date.now() - Date.parse(text(one.at)) < hours * 3_600_000 && one.state === 'paid');
for (let day = 1; day < 7; day += 1) reports.push({ shop: SHOP, till: null, number: 48 - day, from: ago(24 * day + 13), to: ago(24 * day + 1), totals: [{ asset: 'EUR', sales: 61 + day * 7, refunds: day % 3, gross_minor: 84_310 + day * 4_177, tip_minor: 1_250, fee_minor: 675 + day * 33, refunded_minor: (day % 3) * 900, fee_back_minor: (day % 3) * 7, net_minor: 84_310 + day * 4_177 + 1_250 - 675 - day * 33 - (day % 3) * 893 }] });
const page = (items: unknown[], next = '') => ({ items, next });
const stays: Any[] = [
  { stay: id(5501), shop: SHOP, asset: 'EUR', deposit_minor: 40_000, until: ago(-38), state: 'in_house', guest: party(12, 'Tomáš Dvořák'), folio_minor: 17_850, folio: [{ amount_minor: 12_900, label: 'Room, one night', at: ago(9) }, { amount_minor: 3_200, label: 'Dinner', at: ago(4) }, { amount_minor: 1_750, label: 'Breakfast', at: ago(1) }], payment: null },
  { stay: id(5502), shop: SHOP, asset: 'EUR', deposit_minor: 25_000, until: ago(-60), state: 'offered', guest: null, folio_minor: 0, folio: [], payment: null },
];
const find = (of: readonly Any[], name: string, value: unknown) => of.find((one) => one[name] === value);
export const picture = (words: string) => {
  let cells = '';
  for (let y = 0; y < 33; y += 1) for (let x = 0; x < 33; x += 1) {
    const [a, b] = [x > 16 ? 32 - x : x, y > 16 ? 32 - y : y];
    const corner = a < 8 && b < 8 && !(x > 16 && y > 16);
    const on = corner ? Math.max(Math.abs(a - 3), Math.abs(b - 3)) !== 2 && Math.max(a, b) < 7 : ((x * 11 + y * 17 + x * y + (words.charCodeAt((x * y) % words.length) || 0)) * 37) % 9 < 4;
    if (on) cells += `M${x + 2} ${y + 2}h1v1h-1z`;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 37 37" shape-rendering="crispEdges"><rect width="37" height="37" fill="#fff"/><path d="${cells}"/></svg>`;
};

export const routes: Routes = {
  'GET /v1/events': ({ request, reply }) => {
    reply.setHeader('Content-Type', 'text/event-stream');
    reply.write(': hello\n\n');
    streams.add(reply);
    request.on('close', () => streams.delete(reply));
    return null;
  },
  'GET /v1/shop/shops': () => page([{ shop: SHOP, role: 'owner', state: 'open' }, { shop: OTHER, role: 'cashier', state: 'open' }]),
  'GET /v1/shop/shop': ({ query }) => (query.get('shop') === OTHER.id ? undefined : { shop: SHOP, state: 'open', country: 'FR', category: 5462, assets: ['EUR', 'CHF'], tariff: 'standard', opened: ago(9000), role: 'owner', accounts: [{ account: id(31), asset: 'EUR', balance_minor: 128_455, waiting_minor: 91_200, held_minor: 5_400 }], settlement_days: 1, settlement_cut_minute: 120, settles_to_bank: true }),
  'GET /v1/shop/tills': () => page(TILLS),
  'POST /v1/shop/add_till': ({ body }) => { const till = id((made += 1)); TILLS.push({ till, label: body.label, tip: body.tip, state: 'open' }); return { till }; },
  'POST /v1/shop/remove_till': ({ body }) => { Object.assign(find(TILLS, 'till', body.till) ?? {}, { state: 'removed' }); return {}; },
  'GET /v1/shop/staff': () => page(STAFF),
  'POST /v1/shop/add_staff': ({ body }) => { const known = STAFF.find((one) => (one.person as { id: string }).id === body.person); if (known) known.role = body.role; else STAFF.push({ person: { id: body.person, name: 'Tomáš Dvořák', kind: 'person' }, role: body.role, since: ago(0) }); return {}; },
  'POST /v1/shop/remove_staff': ({ body }) => { if (STAFF.findIndex((one) => (one.person as { id: string }).id === body.person) === 0) return new Refused('staff_last_owner', 'A shop keeps an owner.'); STAFF.splice(STAFF.findIndex((one) => (one.person as { id: string }).id === body.person), 1); return {}; },
  'POST /v1/shop/new_order': ({ body }) => {
    const order = id((made += 1));
    orders.set(order, { order, shop: SHOP, ...body, tip_minor: 0, state: 'open', made: ago(0), payment: null });
    if (!body.many) setTimeout(() => pay(orders.get(order) as Any), Number(process.env.PAY_AFTER_MS ?? 7000));
    return { order };
  },
  'POST /v1/shop/withdraw_order': ({ body }) => { const order = orders.get(text(body.order)); if (order?.state === 'paid') return new Refused('shop_order_paid', 'paid'); if (order) order.state = 'withdrawn'; return {}; },
  'GET /v1/shop/order': ({ query }) => orders.get(query.get('order') ?? ''),
  'GET /v1/shop/orders': () => page([...orders.values()].filter((one) => one.state === 'open')),
  'GET /v1/orders/{order}/code': ({ path }) => (orders.has(path.order ?? '') ? { text: `000201${path.order}`, link: `http://127.0.0.1/pay/${path.order}`, qr: picture(`x${path.order}`) } : undefined),
  'GET /v1/shop/{shop}/tills/{till}/code': ({ path }) => ({ text: '0002', link: `http://127.0.0.1/#/till/${path.shop}/${path.till}`, qr: picture(`t${path.till}`) }),
  'POST /v1/shop/charge-code': ({ body }) => {
    if (!/^[0-9]{18}$/.test(text(body.text))) return new Refused('code_not_understood', 'Not a code', 422);
    if (text(body.text).startsWith('0')) return new Refused('code_used', 'used');
    const done = sale(0, body.amount_minor as number, { till: body.till });
    sales.unshift(done);
    return { payment: done.payment, state: 'paid', reasons: [], exit_until: null };
  },
  'GET /v1/shop/sales': ({ query }) => page(sales.filter((one) => !query.get('till') || one.till === query.get('till')).slice(0, Number(query.get('limit') ?? 20))),
  'GET /v1/shop/sale': ({ query }) => { const one = find(sales, 'payment', query.get('payment')); return one && { sale: one, shop: SHOP, left_minor: (one.amount_minor as number) + (one.tip_minor as number) - (one.refunded_minor as number), refunds: refunds.get(text(one.payment)) ?? [] }; },
  'POST /v1/shop/refund': ({ body }) => {
    const one = find(sales, 'payment', body.payment);
    if (!one) return new Refused('sale_not_found', 'no', 404);
    const left = (one.amount_minor as number) + (one.tip_minor as number) - (one.refunded_minor as number) - (body.amount_minor as number);
    if (left < 0) return new Refused('refund_too_large', 'too much');
    one.refunded_minor = (one.refunded_minor as number) + (body.amount_minor as number);
    const refund = { refund: id((made += 1)), amount_minor: body.amount_minor, fee_back_minor: 0, reason: body.reason, at: ago(0) };
    refunds.set(text(one.payment), [...(refunds.get(text(one.payment)) ?? []), refund]);
    happen('shop.sale_refunded', { payment: one.payment, refund: refund.refund, asset: 'EUR', amount_minor: body.amount_minor });
    return { refund: refund.refund, left_minor: left };
  },
  'GET /v1/shop/export': () => page(sales.map((one) => ({ kind: 'sale', id: one.payment, payment: one.payment, asset: one.asset, amount_minor: one.amount_minor, tip_minor: one.tip_minor, fee_minor: one.fee_minor, net_minor: (one.amount_minor as number) + (one.tip_minor as number) - (one.fee_minor as number), number: one.number, at: one.at }))),
  'GET /v1/shop/report': ({ query }) => (query.get('number') ? find(reports, 'number', Number(query.get('number'))) : { shop: SHOP, till: null, number: 0, from: ago(10), to: ago(0), totals: totals(query.get('day') ? since(200) : since(24)) }),
  'GET /v1/shop/reports': () => page(reports),
  'POST /v1/shop/close_day': () => { const number = 48 + reports.length - 6; reports.unshift({ shop: SHOP, till: null, number, from: ago(14), to: ago(0), totals: totals(since(24)) }); return { number }; },
  'GET /v1/shop/tariffs': () => page([{ name: 'standard', asset: 'EUR', fixed_minor: 0, rate_per_100000: 800, from: ago(9000), state: 'current' }, { name: 'standard', asset: 'CHF', fixed_minor: 5, rate_per_100000: 800, from: ago(9000), state: 'current' }, { name: 'market', asset: 'EUR', fixed_minor: 0, rate_per_100000: 400, from: ago(9000), state: 'current' }, { name: 'standard', asset: 'EUR', fixed_minor: 0, rate_per_100000: 750, from: ago(-500), state: 'announced' }]),
  'GET /v1/shop/settlements': () => page([{ settlement: id(61), asset: 'EUR', amount_minor: 91_200, paid_minor: 0, state: 'waiting', cut: ago(9), due: ago(-15), withdrawal: null }, { settlement: id(62), asset: 'EUR', amount_minor: 88_417, paid_minor: 88_417, state: 'paid', cut: ago(33), due: ago(9), withdrawal: id(63) }, { settlement: id(64), asset: 'EUR', amount_minor: 79_950, paid_minor: 79_950, state: 'paid', cut: ago(57), due: ago(33), withdrawal: id(65) }]),
  'POST /v1/shop/set_settlement': () => ({}),
  'POST /v1/shop/settle_now': () => ({ settlement: id(66), amount_minor: 1, due: ago(-24) }),
  'GET /v1/shop/stays': () => page(stays),
  'GET /v1/shop/stay': ({ query }) => find(stays, 'stay', query.get('stay')),
  'POST /v1/shop/offer_stay': ({ body }) => { const stay = id((made += 1)); stays.unshift({ stay, shop: SHOP, asset: body.asset, deposit_minor: body.deposit_minor, until: body.until, state: 'offered', guest: null, folio_minor: 0, folio: [], payment: null }); return { stay }; },
  'POST /v1/shop/charge_folio': ({ body }) => { const stay = find(stays, 'stay', body.stay) as Any; stay.folio_minor = (stay.folio_minor as number) + (body.amount_minor as number); (stay.folio as Any[]).push({ amount_minor: body.amount_minor, label: body.label, at: ago(0) }); return {}; },
  'POST /v1/shop/check_out': ({ body }) => { const stay = find(stays, 'stay', body.stay) as Any; stay.state = 'ended'; return { payment: id(77), paid_minor: stay.folio_minor, released_minor: (stay.deposit_minor as number) - (stay.folio_minor as number) }; },
  'POST /v1/shop/withdraw_stay': ({ body }) => { Object.assign(find(stays, 'stay', body.stay) ?? {}, { state: 'withdrawn' }); return {}; },
  'POST /v1/shop/open-gate': ({ body }) => (text(body.token).startsWith('a') ? { order: id(1), payment: id(2) } : new Refused('exit_used', 'used')),
  'POST /v1/shop/register': () => ({ shop: SHOP, account: id(31) }),
  'PATCH /v1/parties/{shop}': () => SHOP,
};
