/** The terms of a safe order, as the buyer and the seller agree them: parts of the work, the carrier, an offer as a link. */

const DAY_MS = 86_400_000;
/** A time so many days ahead, as the API writes it. */
export const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();

/** As the ledger divides: the earliest shares take the remainder, one unit each. */
export function divide(total: number, weights: readonly number[]): number[] {
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  if (all === 0) return weights.map(() => 0);
  const parts = weights.map((weight) => Number((BigInt(total) * BigInt(weight)) / BigInt(all)));
  let rest = total - parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part, index) => (rest > 0 && (weights[index] ?? 0) > 0 ? (rest--, part + 1) : part));
}

// ── parts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A part of the work; of the amount it gets its weight's share. */
export interface Part {
  label: string;
  weight: number;
}

export const PARTS_MAX = 10;
export const WEIGHT_MAX = 20;

/** The parts as milestones of an order; they add up to the amount. One part is none: then all is paid at once. */
export function milestonesOf(minor: number, parts: readonly Part[]): { share_minor: number; label: string | null }[] {
  if (parts.length < 2) return [];
  const shares = divide(minor, parts.map((part) => part.weight));
  return parts.map((part, index) => ({ share_minor: shares[index] ?? 0, label: part.label.trim() || null }));
}

/** Whether each part gets at least one minor unit: the ledger pays no part of nothing. */
export const canSplit = (minor: number, parts: readonly Part[]): boolean => milestonesOf(minor, parts).every((one) => one.share_minor > 0);

// ── the carrier ───────────────────────────────────────────────────────────────────────────────────────────────────

const KEPT = 'formicary.parcel.';
const CODE_BYTES = 16;
const held = new Map<string, string>();
const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** A carrier's key: an Ed25519 public key of 64 hexadecimal digits. */
export const readKey = (text: string): string | null => {
  const key = text.replace(/[\s:]/g, '').toLowerCase();
  return /^[0-9a-f]{64}$/.test(key) ? key : null;
};

/** A page that is not on TLS or this very device has no digests, so it can't make a recipient's code. */
export const carriersWork = (): boolean => globalThis.crypto?.subtle !== undefined;

export async function digestOf(code: string): Promise<string> {
  const bytes = Uint8Array.from(code.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

/**
 * A new code for the recipient, 128 random bits, which stays on this device; the order knows only its digest. Who reads
 * the ledger can't guess it, and who is asked for it at the door can.
 */
export async function newRecipientCode(): Promise<string> {
  const code = hex(crypto.getRandomValues(new Uint8Array(CODE_BYTES)));
  const digest = await digestOf(code);
  held.set(digest, code);
  try { localStorage.setItem(KEPT + digest, code); } catch { /* private mode: as long as the page is open */ }
  return digest;
}

/** The code whose digest stands on the order, if it was made on this device. */
export function recipientCode(digest: string | null | undefined): string | null {
  if (!digest) return null;
  try { return held.get(digest) ?? localStorage.getItem(KEPT + digest); } catch { return held.get(digest) ?? null; }
}

/** An order that has ended needs its code no more. */
export function forgetCode(digest: string | null | undefined): void {
  if (!digest) return;
  held.delete(digest);
  try { localStorage.removeItem(KEPT + digest); } catch { /* private mode */ }
}

/** Digits in fours, to be read aloud. */
export const inFours = (digits: string): string => digits.replace(/(.{4})(?=.)/g, '$1 ');
/** Beginning and end of a key, to compare it by. */
export const inShort = (key: string): string => `${inFours(key.slice(0, 8))} … ${inFours(key.slice(-8))}`;

export interface Slip {
  status: 'DELIVERED' | 'LOST';
  code: string;
  signature: string;
}

/** What the carrier hands out: its word, the recipient's code and its signature, in whatever writing; null when one is missing. */
export function readSlip(text: string): Slip | null {
  const status = /\b(DELIVERED|LOST)\b/i.exec(text)?.[1]?.toUpperCase() as Slip['status'] | undefined;
  const words = text.toLowerCase().match(/\b[0-9a-f]{2,128}\b/g) ?? [];
  const signature = words.find((word) => word.length === 128);
  const code = words.find((word) => word.length === 2 * CODE_BYTES) ?? '';
  if (!status || !signature || (status === 'DELIVERED') !== (code !== '')) return null;
  return { status, code, signature };
}

// ── an offer ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** What a seller offers by a link, and a buyer may still change: the order is what the buyer funds. */
export interface Offer {
  what: string;
  minor: number | null;
  asset: string;
  parts: Part[];
  carrierKey: string;
}

const WHAT_MAX = 200;
const LABEL_MAX = 80;

export function writeOffer(offer: Offer): string {
  const words: [string, string][] = [['what', offer.what]];
  if (offer.minor) words.push(['amount', String(offer.minor)], ['asset', offer.asset]);
  for (const part of offer.parts) words.push(['part', `${part.weight} ${part.label}`.trim()]);
  if (offer.carrierKey) words.push(['carrier', offer.carrierKey]);
  return new URLSearchParams(words).toString();
}

/** Reads the offer in a link; what makes no sense is left out, for anybody can write a link. */
export function readOffer(words: URLSearchParams): Offer {
  const minor = Number(words.get('amount'));
  const parts = words.getAll('part').slice(0, PARTS_MAX).map((text) => {
    const [, weight = '1', label = ''] = /^(\d{1,4})(?: (.*))?$/s.exec(text) ?? [];
    return { weight: Math.min(WEIGHT_MAX, Math.max(1, Number(weight))), label: label.slice(0, LABEL_MAX) };
  });
  return {
    what: (words.get('what') ?? words.get('note') ?? '').slice(0, WHAT_MAX),
    minor: Number.isSafeInteger(minor) && minor > 0 ? minor : null,
    asset: /^[A-Z0-9]{1,6}$/.test(words.get('asset') ?? '') ? (words.get('asset') ?? '') : '',
    parts: parts.length > 1 ? parts : [],
    carrierKey: readKey(words.get('carrier') ?? '') ?? '',
  };
}
