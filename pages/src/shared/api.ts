/**
 * The public API, as a page calls it. `ask` reads, `tell` commands. A command carries an Idempotency-Key and is sent
 * again with the same key when the network fails, so that it happens once. What needs a fresh passkey or PIN asks for
 * it (see `onConfirmationNeeded`) and goes on. Every failure is a `Problem` with one of our codes.
 */

export class Problem extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly detail = '',
    readonly where = '',
    readonly retryAfterS = 0,
  ) {
    super(detail || code);
    this.name = 'Problem';
  }
}

export const asProblem = (error: unknown): Problem =>
  error instanceof Problem ? error : new Problem('page_fault', 0, error instanceof Error ? error.message : String(error));

type Params = Record<string, string | number | boolean | null | undefined>;
type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

interface Told {
  /** The same act must keep the same key: pass one when the act may be tried again by hand. */
  key?: string;
  method?: Method;
  signal?: AbortSignal;
}

let confirmer: (() => Promise<void>) | undefined;
let signedOut: (() => void) | undefined;

/** Set by the application: shows passkey or PIN; rejects when the person turns away. */
export function onConfirmationNeeded(ask: (() => Promise<void>) | undefined): void {
  confirmer = ask;
}

/** Set by the application: told when the session has ended. */
export function onSignedOut(tell: (() => void) | undefined): void {
  signedOut = tell;
}

export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function withParams(path: string, params?: Params): string {
  const given = Object.entries(params ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== '');
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

async function problemOf(reply: Response): Promise<Problem> {
  let body: { code?: string; detail?: string; title?: string; where?: unknown } = {};
  try {
    body = (await reply.json()) as typeof body;
  } catch {
    /* not JSON: a proxy in between spoke */
  }
  const code = body.code ?? (reply.status >= 500 ? 'unavailable' : `http_${reply.status}`);
  const where = typeof body.where === 'string' ? body.where : body.where ? JSON.stringify(body.where) : '';
  return new Problem(code, reply.status, body.detail ?? body.title ?? '', where, Number(reply.headers.get('Retry-After') ?? 0));
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { credentials: 'same-origin', ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem('offline', 0);
  }
}

async function read<T>(reply: Response): Promise<T> {
  if (!reply.ok) {
    const problem = await problemOf(reply);
    if (problem.code === 'not_signed_in') signedOut?.();
    throw problem;
  }
  return (reply.status === 204 ? {} : await reply.json()) as T;
}

const known = new Map<string, { etag: string; body: unknown }>();
const KNOWN_MAX = 100;

/** Reads. What has not changed since the last time (ETag) isn't sent again. */
export async function ask<T>(path: string, params?: Params, signal?: AbortSignal): Promise<T> {
  const url = withParams(path, params);
  const before = known.get(url);
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (before) headers['If-None-Match'] = before.etag;
  const reply = await send(url, { headers, signal });
  if (reply.status === 304 && before) return before.body as T;
  const body = await read<T>(reply);
  const etag = reply.headers.get('ETag');
  if (etag) {
    if (known.size >= KNOWN_MAX) known.delete(known.keys().next().value as string);
    known.set(url, { etag, body });
  }
  return body;
}

/** Reads a file as its bytes are: a receipt proves nothing once it is written anew. */
export async function askFile(path: string, params?: Params): Promise<Blob> {
  const reply = await send(withParams(path, params), { headers: { Accept: 'application/json' } });
  if (!reply.ok) return read<Blob>(reply);
  return reply.blob();
}

/** Forgets what was read, when another person signs in. */
export const forget = (): void => known.clear();

const RETRIES = 2;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Commands. Sent at most three times with one key while the network or the node is away. */
export async function tell<T = object>(path: string, body: object = {}, how: Told = {}): Promise<T> {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json', 'Idempotency-Key': how.key ?? newKey() };
  const init: RequestInit = { method: how.method ?? 'POST', headers, signal: how.signal };
  if (how.method !== 'DELETE') init.body = JSON.stringify(body);
  let confirmed = false;
  for (let tried = 0; ; tried += 1) {
    try {
      return await read<T>(await send(path, init));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.code === 'confirmation_needed' && confirmer && !confirmed) {
        confirmed = true;
        await confirmer();
        continue;
      }
      const away = error.code === 'offline' || error.status === 502 || error.status === 503;
      if (!away || tried >= RETRIES) throw error;
      await pause(300 * 3 ** tried);
    }
  }
}

/** A page of a list with an opaque cursor. */
export interface Page<T> {
  items: T[];
  next: string;
}
