/** Bytes as text and back, SHA-256 and Ed25519: all that a check of a receipt is made of. */

export type Bytes = Uint8Array<ArrayBuffer>;

/** A document that is not exactly one of ours. `where` names the field or the byte. */
export class BadDocument extends Error {
  constructor(
    readonly code: string,
    readonly where = '',
  ) {
    super(where ? `${code}: ${where}` : code);
    this.name = 'BadDocument';
  }
}

export const concat = (...parts: readonly Uint8Array[]): Bytes => {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

export const same = (one: Uint8Array, other: Uint8Array): boolean => one.length === other.length && one.every((byte, at) => byte === other[at]);

export const ascii = (text: string): Bytes => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
export const utf8 = (text: string): Bytes => new TextEncoder().encode(text) as Bytes;

export const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

export function unhex(text: unknown, where: string, length?: number): Bytes {
  if (typeof text !== 'string' || !/^([0-9a-f]{2})*$/.test(text)) throw new BadDocument('not_hexadecimal', where);
  const bytes = Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  if (length !== undefined && bytes.length !== length) throw new BadDocument('wrong_length', where);
  return bytes;
}

export const base64 = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');

export function unbase64(text: unknown, where: string, length?: number): Bytes {
  if (typeof text !== 'string' || !/^[A-Za-z0-9_-]*$/.test(text)) throw new BadDocument('not_base64', where);
  let bytes: Bytes;
  try {
    bytes = ascii(atob(text.replaceAll('-', '+').replaceAll('_', '/')));
  } catch {
    throw new BadDocument('not_base64', where);
  }
  if (length !== undefined && bytes.length !== length) throw new BadDocument('wrong_length', where);
  return bytes;
}

/** A whole number below 2⁶⁴ as decimal text. */
export function readNumber(text: unknown, where: string): bigint {
  if (typeof text !== 'string' || !/^[0-9]{1,20}$/.test(text)) throw new BadDocument('not_a_number', where);
  const number = BigInt(text);
  if (number >= 1n << 64n) throw new BadDocument('not_a_number', where);
  return number;
}

/** A number in so many bytes, the smallest first. */
export function little(number: bigint, width: number): Bytes {
  const bytes = new Uint8Array(width);
  let rest = number;
  for (let at = 0; at < width; at += 1) {
    bytes[at] = Number(rest & 255n);
    rest >>= 8n;
  }
  if (rest !== 0n) throw new BadDocument('does_not_fit');
  return bytes;
}

export const unlittle = (bytes: Uint8Array): bigint => bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);

export async function sha256(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data));
}

/** Whether this key signed exactly this message (RFC 8032). */
export async function signedBy(key: Bytes, message: Bytes, signature: Bytes): Promise<boolean> {
  if (key.length !== 32 || signature.length !== 64) return false;
  let imported: CryptoKey;
  try {
    imported = await crypto.subtle.importKey('raw', key, { name: 'Ed25519' }, false, ['verify']);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotSupportedError') throw new BadDocument('no_ed25519');
    return false;
  }
  return crypto.subtle.verify({ name: 'Ed25519' }, imported, signature, message);
}

const BASE45 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';

/** Base45 (RFC 9285), as QR codes hold it. */
export function unbase45(text: string): Bytes {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 3) {
    const group = text.slice(at, at + 3);
    const digits = Array.from(group, (letter) => BASE45.indexOf(letter));
    const number = (digits[0] ?? 0) + 45 * (digits[1] ?? 0) + 2025 * (digits[2] ?? 0);
    const width = group.length - 1;
    if (digits.includes(-1) || width < 1 || number >= 2 ** (8 * width)) throw new BadDocument('not_base45', `${at}`);
    if (width === 2) bytes.push(number >> 8);
    bytes.push(number & 255);
  }
  return Uint8Array.from(bytes);
}
