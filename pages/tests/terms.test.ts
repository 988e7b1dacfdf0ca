import { beforeEach, describe, expect, it } from 'vitest';
import { hostOf, isId, payeeAt, readAddress, recentElsewhere } from '../src/wallet/parts/elsewhere';
import { stopsIn, stopsOut } from '../src/wallet/parts/Crossing';
import { canSplit, digestOf, forgetCode, inFours, inShort, milestonesOf, newRecipientCode, readKey, readOffer, readSlip, recipientCode, writeOffer } from '../src/wallet/parts/terms';
import { wayToEscrow } from '../src/wallet/pages/History';
import { type OrderSeen, stopsOf } from '../src/wallet/pages/Order';
import { type PoolSeen, wordsOf } from '../src/wallet/pages/Pools';
import { ownLink, wayOf } from '../src/wallet/pages/Scan';
import { safely } from '../src/wallet/pages/Shop';

const KEY = 'ab'.repeat(32);
const parts = (...weights: number[]) => weights.map((weight, index) => ({ weight, label: index === 0 ? 'First' : '' }));
/** Words as their keys with what goes into them: what is said is tested, not how. */
const t = (key: string, values?: Record<string, unknown>) => (values ? `${key} ${Object.values(values).join(' ')}` : key);
const spoken = { t, date: (at: unknown) => String(at), money: (minor: number, asset: string) => `${minor} ${asset}` };

describe('parts of an order', () => {
  it('add up to the amount, the earliest taking the odd units', () => {
    expect(milestonesOf(100, parts(1, 1, 1))).toEqual([{ share_minor: 34, label: 'First' }, { share_minor: 33, label: null }, { share_minor: 33, label: null }]);
    for (const minor of [10, 999, 12_345]) expect(milestonesOf(minor, parts(3, 7, 2)).reduce((sum, one) => sum + one.share_minor, 0)).toBe(minor);
  });

  it('are none for one part, and can’t be of nothing', () => {
    expect(milestonesOf(100, parts(1))).toEqual([]);
    expect(canSplit(2, parts(1, 1, 1))).toBe(false);
    expect(canSplit(3, parts(1, 1, 1))).toBe(true);
    expect(canSplit(1, [])).toBe(true);
  });
});

describe('the carrier', () => {
  beforeEach(() => localStorage.clear());

  it('is known by a key of 64 digits, however it is spaced', () => {
    expect(readKey(` ${KEY.slice(0, 32)}\n${KEY.slice(32).toUpperCase()} `)).toBe(KEY);
    for (const wrong of ['', 'ab', `${KEY}0`, KEY.replace('a', 'g')]) expect(readKey(wrong)).toBeNull();
    expect(inShort(KEY)).toBe('abab abab … abab abab');
    expect(inFours('123456789')).toBe('1234 5678 9');
  });

  it('hears a code that only this device knows, by a digest that the order has', async () => {
    const [first, second] = [await newRecipientCode(), await newRecipientCode()];
    expect(first).not.toBe(second);
    const code = recipientCode(first) ?? '';
    expect(code).toMatch(/^[0-9a-f]{32}$/);
    expect(await digestOf(code)).toBe(first);
    forgetCode(first);
    expect(recipientCode(first)).toBeNull();
    expect(recipientCode(second)).not.toBeNull();
    expect(recipientCode('00'.repeat(32))).toBeNull();
    expect(recipientCode(null)).toBeNull();
  });

  it('makes digests as the ledger does', async () => {
    expect(await digestOf('00'.repeat(16))).toBe('374708fff7719dd5979ec875d56cd2286f6d3cf7ec317a3b25632aab28ec37bb');
  });

  it('hands out a slip in whatever writing', () => {
    const [code, signature] = ['0123456789abcdef'.repeat(2), 'cd'.repeat(64)];
    expect(readSlip(`delivered\ncode: ${code.toUpperCase()}\nsignature: ${signature}`)).toEqual({ status: 'DELIVERED', code, signature });
    expect(readSlip(`{"signature":"${signature}","code":"${code}","status":"DELIVERED"}`)).toEqual({ status: 'DELIVERED', code, signature });
    expect(readSlip(`LOST ${signature}`)).toEqual({ status: 'LOST', code: '', signature });
    for (const wrong of ['', `DELIVERED ${signature}`, `DELIVERED ${code}`, `LOST ${code} ${signature}`, `${code} ${signature}`]) expect(readSlip(wrong)).toBeNull();
  });
});

describe('an offer by a link', () => {
  it('comes back as it was made', () => {
    const offer = { what: 'A desk & chair, 2 × 40 €', minor: 48_000, asset: 'EUR', parts: parts(2, 1), carrierKey: KEY };
    expect(readOffer(new URLSearchParams(writeOffer(offer)))).toEqual(offer);
  });

  it('is what a shop’s payment link is to who buys from afar', () => {
    const way = safely({ shop: { id: 'c1', name: 'Crumb', kind: 'shop' }, amount_minor: 420, asset: 'EUR', number: 'A-1' });
    expect(way).toBe('/buy/c1?what=A-1&amount=420&asset=EUR');
  });

  it('leaves out what makes no sense', () => {
    const read = (text: string) => readOffer(new URLSearchParams(text));
    expect(read('')).toEqual({ what: '', minor: null, asset: '', parts: [], carrierKey: '' });
    expect(read('amount=-5&asset=<b>&carrier=x&part=only+one')).toEqual({ what: '', minor: null, asset: '', parts: [], carrierKey: '' });
    expect(read('amount=1.5').minor).toBeNull();
    expect(read('part=9999+a&part=0+b').parts).toEqual([{ weight: 20, label: 'a' }, { weight: 1, label: 'b' }]);
    expect(read(Array.from({ length: 30 }, () => 'part=1').join('&')).parts).toHaveLength(10);
  });
});

describe('how far an order is', () => {
  const at = (step: string, number: number) => ({ at: `T${number}`, step, detail: '', seller_minor: 0, buyer_minor: 0 });
  const order = (state: string, steps: string[], more: Partial<OrderSeen> = {}) => ({ state, timeline: steps.map(at), milestones: [], ...more }) as unknown as OrderSeen;
  const shown = (one: OrderSeen) => stopsOf(one, spoken).map((stop) => `${stop.key} ${stop.state}`);

  it('goes from paid in to paid out', () => {
    expect(shown(order('funded', ['funded']))).toEqual(['funded done', 'shipped now', 'end later']);
    expect(shown(order('shipped', ['funded', 'shipped']))).toEqual(['funded done', 'shipped done', 'end later']);
    expect(shown(order('settled', ['funded', 'shipped', 'confirmed']))).toEqual(['funded done', 'shipped done', 'end done']);
  });

  it('has a stop at the door where a carrier signs', () => {
    const carrier = { carrier_key: KEY };
    expect(shown(order('shipped', ['funded', 'shipped'], carrier))).toEqual(['funded done', 'shipped done', 'delivered now', 'end later']);
    expect(shown(order('delivered', ['funded', 'shipped', 'delivered'], carrier))).toEqual(['funded done', 'shipped done', 'delivered done', 'end later']);
    expect(shown(order('refunded', ['funded', 'shipped', 'lost', 'refunded'], carrier))).toEqual(['funded done', 'shipped done', 'lost bad', 'end bad']);
  });

  it('stops at a dispute, and leaves out what never was', () => {
    expect(shown(order('disputed', ['funded', 'disputed']))).toEqual(['funded done', 'shipped now', 'disputed now', 'end later']);
    expect(shown(order('refunded', ['funded', 'cancelled']))).toEqual(['funded done', 'end bad']);
  });
});

describe('what happens to the money of a pool', () => {
  const pool = (state: string, my_places: number) => ({ state, my_places, price_minor: 500, asset: 'EUR', until: 'noon', maker_minor: 900 }) as unknown as PoolSeen;

  it('is said for how it stands and for who asks', () => {
    expect(wordsOf(pool('open', 0), spoken).text).toBe('pools.if_misses_text noon');
    expect(wordsOf(pool('open', 3), spoken).text).toBe('pools.if_misses_mine noon 1500 EUR');
    expect(wordsOf(pool('refunded', 2), spoken).text).toBe('pools.refunded_mine 1000 EUR');
    expect(wordsOf(pool('refunded', 0), spoken).text).toBe('pools.refunded_text');
    expect(wordsOf(pool('settled', 1), spoken).text).toBe('pools.settled_text 900 EUR');
  });

  it('is found again from a payment', () => {
    expect(wayToEscrow({ payment: 'a', kind: 'escrow', reference: 'a' })).toBe('/order/a');
    expect(wayToEscrow({ payment: 'a', kind: 'escrow', reference: 'p' })).toBe('/pool/p');
    expect(wayToEscrow({ payment: 'b', kind: 'escrow_back', reference: 'a' })).toBe('/order/a');
    expect(wayToEscrow({ payment: 'b', kind: 'escrow_out', reference: 'a', other: { id: 'x', name: '', kind: '' } })).toBe('/order/a');
    expect(wayToEscrow({ payment: 'b', kind: 'escrow_out', reference: 'p', other: null })).toBe('/pool/p');
    expect(wayToEscrow({ payment: 'a', kind: 'escrow' })).toBe('/order/a');
  });
});

describe('people elsewhere', () => {
  const there = { institution: { id: 'f'.repeat(32), name: '', kind: 'institution' as const }, own: false, address: 'https://rival.example:8443/x' };

  it('are named @name@institution', () => {
    expect(readAddress(' @nora@Rival.example:8443 ')).toEqual({ payee: '@nora', host: 'rival.example:8443' });
    for (const other of ['@nora', 'nora@rival.example', '@@x', '@a@b@c', '@nora@', '']) expect(readAddress(other)).toBeNull();
    expect(hostOf(there)).toBe('rival.example:8443');
  });

  it('are remembered once they were really paid', () => {
    const paid = { payment: '1', institution: there.institution, asset: 'EUR', amount_minor: 1, state: 'captured' as const, code: '', to: '@nora', at: '' };
    const sent = [paid, { ...paid, to: '@Nora' }, { ...paid, to: '@lost', state: 'refused' as const }, { ...paid, to: 'a'.repeat(32) }, { ...paid, institution: { id: 'gone', name: '', kind: '' as const } }];
    expect(recentElsewhere(sent, [there])).toEqual([payeeAt(there, '@Nora')]);
    expect(isId('a'.repeat(32))).toBe(true);
  });

  it('open by a link of ours, as orders and pools do', () => {
    for (const way of ['/buy/@ben?what=A+desk', '/pool/0c', '/order/0c', '/send/@ben']) expect(ownLink(`${location.origin}/#${way}`)).toBe(way);
    expect(ownLink('https://elsewhere.example/#/buy/@ben')).toBeNull();
  });

  it('are paid by their shop’s code, too', () => {
    expect(wayOf({ kind: 'shop_till', institution: 'f0', shop: { id: 'c1' }, till: 't', name: 'Crumb & Crust', amount_minor: 420, asset: 'EUR' })).toBe('/send/c1?at=f0&name=Crumb+%26+Crust&amount=420&asset=EUR');
    expect(wayOf({ kind: 'shop_till', shop: { id: 'c1' }, till: 't' })).toBe('/till/c1/t');
  });
});

describe('a payment across', () => {
  const out = (state: 'held' | 'offered' | 'captured' | 'refused' | 'cancelled', code = '') => stopsOut({ state, code }, 'Rival', spoken).map((stop) => `${stop.key} ${stop.state}`);

  it('is held, accepted and paid, or back', () => {
    expect(out('held')).toEqual(['held done', 'accepted later', 'paid later']);
    expect(out('offered')).toEqual(['held done', 'accepted now', 'paid later']);
    expect(out('captured')).toEqual(['held done', 'accepted done', 'paid done']);
    expect(out('refused', 'person_unknown')).toEqual(['held done', 'accepted bad', 'back done']);
    expect(out('cancelled')).toEqual(['held done', 'accepted bad', 'back done']);
  });

  it('is promised to its payee first', () => {
    const into = (state: 'held' | 'captured' | 'cancelled') => stopsIn({ state }, 'Rival', spoken).map((stop) => `${stop.key} ${stop.state}`);
    expect(into('held')).toEqual(['held done', 'paid now']);
    expect(into('captured')).toEqual(['held done', 'paid done']);
    expect(into('cancelled')).toEqual(['held done', 'back bad']);
  });
});
