import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Problem, ask, forget, onConfirmationNeeded, onSignedOut, tell, withParams } from '../src/shared/api';
import { createParser, type Happened } from '../src/shared/events';
import { match, search } from '../src/shared/router';
import { createStore } from '../src/shared/store';
import { ownLink, wayOf } from '../src/wallet/pages/Scan';
import { lastMonths, monthOf } from '../src/wallet/pages/Statement';

type Sent = { url: string; init: RequestInit };
let sent: Sent[];
let replies: (Response | Error)[];

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) => new Response(status === 304 ? null : JSON.stringify(body), { status, headers });
const header = (at: number, name: string) => (sent[at]?.init.headers as Record<string, string>)[name];

beforeEach(() => {
  sent = [];
  replies = [];
  forget();
  vi.stubGlobal('fetch', async (url: string, init: RequestInit = {}) => {
    sent.push({ url, init });
    const reply = replies.shift();
    if (!reply || reply instanceof Error) throw reply ?? new TypeError('away');
    return reply;
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  onConfirmationNeeded(undefined);
  onSignedOut(undefined);
});

describe('reading', () => {
  it('asks again with the ETag and takes what it knew when nothing changed', async () => {
    replies = [json({ a: 1 }, 200, { ETag: '"x"' }), json(null, 304)];
    expect(await ask('/v1/a', { b: 2, c: undefined })).toEqual({ a: 1 });
    expect(await ask('/v1/a', { b: 2 })).toEqual({ a: 1 });
    expect(header(1, 'If-None-Match')).toBe('"x"');
    expect(sent[1]?.url).toBe('/v1/a?b=2');
  });
  it('turns problem details into a Problem with its code', async () => {
    replies = [json({ code: 'pin_locked', detail: 'Wait.' }, 429, { 'Retry-After': '30' })];
    await expect(ask('/v1/a')).rejects.toMatchObject({ code: 'pin_locked', status: 429, detail: 'Wait.', retryAfterS: 30 });
  });
  it('tells the application when the session has ended', async () => {
    const out = vi.fn();
    onSignedOut(out);
    replies = [json({ code: 'not_signed_in' }, 401)];
    await expect(ask('/v1/a')).rejects.toBeInstanceOf(Problem);
    expect(out).toHaveBeenCalledOnce();
  });
  it('escapes parameters', () => expect(withParams('/p', { find: '@a&b=c' })).toBe('/p?find=%40a%26b%3Dc'));
});

describe('commanding', () => {
  it('sends one Idempotency-Key, and the same again when the network fails', async () => {
    replies = [new TypeError('away'), json({ ok: true })];
    expect(await tell('/v1/pay/send', { amount_minor: 1 })).toEqual({ ok: true });
    expect(header(0, 'Idempotency-Key')).toMatch(/^[0-9a-f]{32}$/);
    expect(header(1, 'Idempotency-Key')).toBe(header(0, 'Idempotency-Key'));
  });
  it('does not repeat a refusal', async () => {
    replies = [json({ code: 'exceeds_funds' }, 409)];
    await expect(tell('/v1/pay/send')).rejects.toMatchObject({ code: 'exceeds_funds' });
    expect(sent).toHaveLength(1);
  });
  it('asks the person once when a confirmation is needed, then goes on', async () => {
    const confirm = vi.fn(async () => undefined);
    onConfirmationNeeded(confirm);
    replies = [json({ code: 'confirmation_needed' }, 403), json({ done: 1 })];
    expect(await tell('/v1/bank/withdraw')).toEqual({ done: 1 });
    expect(confirm).toHaveBeenCalledOnce();
    replies = [json({ code: 'confirmation_needed' }, 403), json({ code: 'confirmation_needed' }, 403)];
    await expect(tell('/v1/bank/withdraw')).rejects.toMatchObject({ code: 'confirmation_needed' });
  });
  it('sends no body with DELETE', async () => {
    replies = [new Response(null, { status: 204 })];
    await tell('/v1/session', {}, { method: 'DELETE' });
    expect(sent[0]?.init.body).toBeUndefined();
  });
});

describe('events', () => {
  it('come whole out of pieces cut anywhere', () => {
    const text = ': hello\n\nid: 7\nevent: pay.payment_made\ndata: {"amount_minor":5}\n\nevent: x\r\ndata: 1\r\n\r\n';
    for (let cut = 1; cut < text.length; cut += 1) {
      const got: Happened[] = [];
      const parse = createParser((event) => got.push(event));
      if (text[cut - 1] === '\r') continue;
      parse(text.slice(0, cut));
      parse(text.slice(cut));
      expect(got[0]).toEqual({ name: 'pay.payment_made', id: '7', data: { amount_minor: 5 } });
      expect(got[1]?.name).toBe('x');
    }
  });
});

describe('small parts', () => {
  it('routes match and give their parts', () => {
    expect(match('/send/:to?', '/send')).toEqual({});
    expect(match('/send/:to?', '/send/%40lena?amount=5')).toEqual({ to: '@lena' });
    expect(match('/send/:to?', '/sendx')).toBeNull();
    expect(match('/till/:shop/:till', '/till/a')).toBeNull();
    expect(search('/send?amount=5').get('amount')).toBe('5');
  });
  it('a store tells only changes', () => {
    const store = createStore(1);
    const heard = vi.fn();
    const end = store.watch(heard);
    store.set(1);
    store.set((now) => now + 1);
    end();
    store.set(5);
    expect(heard).toHaveBeenCalledOnce();
  });
  it('codes lead where they say, and only our own links are followed', () => {
    expect(wayOf({ kind: 'shop_order', payable: true, order: 'ab' })).toBe('/pay/ab');
    expect(wayOf({ kind: 'person', payable: true, person: { id: 'cd' }, amount_minor: 5, asset: 'EUR' })).toBe('/send/cd?amount=5&asset=EUR');
    expect(wayOf({ kind: 'other_scheme', payable: false })).toBeNull();
    expect(ownLink(`${location.origin}/pay/${'0'.repeat(32)}`)).toBe(`/pay/${'0'.repeat(32)}`);
    expect(ownLink('https://evil.example/#/send/@x')).toBeNull();
    expect(ownLink(`${location.origin}/#/safety`)).toBeNull();
  });
  it('months count back over the year', () => {
    expect(lastMonths(new Date('2026-02-10T00:00:00Z'), 3)).toEqual(['2025-12', '2026-01', '2026-02']);
    expect(monthOf(202611)).toBe('2026-11');
    expect(monthOf('2026-11')).toBe('2026-11');
  });
});
