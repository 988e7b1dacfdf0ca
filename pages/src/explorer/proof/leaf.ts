/** What a leaf holds: the 128 bytes of a stored transfer, or the bytes of a reply (MessagePack). */
import { BadDocument, type Bytes, ascii, base64, concat, hex, little, readNumber, unbase64, unhex, unlittle, utf8 } from './bytes';

export const TRANSFER_TAG = 1;
export const REPLY_TAG = 2;

/** A transfer as a receipt's JSON has it: long numbers are decimal strings. */
export interface TransferFields {
  id: string;
  debit_account: string;
  credit_account: string;
  amount: string;
  asset: number;
  code: number;
  flags: number;
  hold: string;
  timeout_s: number;
  user_data: string;
  user_data_64: string;
  user_data_32: number;
  time_ns: string;
  reserved_64: string;
}

export interface ReplyFields {
  command: string;
  entry: string;
  time_ns: string;
  code: string;
  body: string;
}

const FIELDS: readonly (keyof TransferFields)[] = [
  'id', 'debit_account', 'credit_account', 'amount', 'asset', 'code', 'flags', 'hold', 'timeout_s', 'user_data', 'user_data_64', 'user_data_32', 'time_ns', 'reserved_64',
];
/** Where each field lies in a record: [first byte, bytes, is text in JSON]. */
const PLACES: Record<keyof TransferFields, readonly [number, number, boolean]> = {
  id: [0, 16, true], debit_account: [16, 16, true], credit_account: [32, 16, true], amount: [48, 8, true], hold: [56, 16, true], user_data: [72, 16, true],
  user_data_64: [88, 8, true], user_data_32: [96, 4, false], timeout_s: [100, 4, false], asset: [104, 4, false], code: [108, 2, false], flags: [110, 2, false],
  time_ns: [112, 8, true], reserved_64: [120, 8, true],
};
const SIGNED: readonly string[] = ['amount', 'time_ns'];

export function transferFields(record: Uint8Array): TransferFields {
  if (record.length !== 128) throw new BadDocument('wrong_length', 'transfer');
  const made: Record<string, string | number> = {};
  for (const name of FIELDS) {
    const [first, width, text] = PLACES[name];
    let number = unlittle(record.subarray(first, first + width));
    if (SIGNED.includes(name)) number = BigInt.asIntN(64, number);
    made[name] = text ? number.toString() : Number(number);
  }
  return made as unknown as TransferFields;
}

export function transferRecord(fields: unknown): Bytes {
  if (typeof fields !== 'object' || fields === null) throw new BadDocument('not_an_object', 'transfer');
  const given = fields as Record<string, unknown>;
  if (Object.keys(given).join() !== FIELDS.join()) throw new BadDocument('other_fields', 'transfer');
  const record = new Uint8Array(128);
  for (const name of FIELDS) {
    const [first, width, text] = PLACES[name];
    const value = given[name];
    const good = text ? typeof value === 'string' && /^-?[0-9]{1,39}$/.test(value) : Number.isSafeInteger(value);
    if (!good) throw new BadDocument('not_a_number', `transfer.${name}`);
    const number = BigInt(value as string | number);
    const bits = width * 8;
    const signed = SIGNED.includes(name);
    const fits = signed ? BigInt.asIntN(bits, number) === number : BigInt.asUintN(bits, number) === number;
    if (!fits) throw new BadDocument('does_not_fit', `transfer.${name}`);
    record.set(little(BigInt.asUintN(bits, number), width), first);
  }
  return record;
}

// ── replies: the array ["reply.1", command id, entry, time, code, body] in MessagePack's shortest form ──

function packNumber(number: bigint): Bytes {
  const big = (width: number) => little(number, width).reverse() as Bytes;
  if (number < 128n) return Uint8Array.of(Number(number));
  if (number < 1n << 8n) return concat(Uint8Array.of(0xcc), big(1));
  if (number < 1n << 16n) return concat(Uint8Array.of(0xcd), big(2));
  if (number < 1n << 32n) return concat(Uint8Array.of(0xce), big(4));
  return concat(Uint8Array.of(0xcf), big(8));
}

function packSized(data: Bytes, codes: readonly [number, number, number], short?: number): Bytes {
  const size = data.length;
  if (short !== undefined && size < 32) return concat(Uint8Array.of(short | size), data);
  if (size < 256) return concat(Uint8Array.of(codes[0], size), data);
  if (size < 65536) return concat(Uint8Array.of(codes[1], size >> 8, size & 255), data);
  return concat(Uint8Array.of(codes[2]), little(BigInt(size), 4).reverse() as Bytes, data);
}

const packBytes = (data: Bytes) => packSized(data, [0xc4, 0xc5, 0xc6]);
const packText = (text: string) => packSized(utf8(text), [0xd9, 0xda, 0xdb], 0xa0);

export function replyBytes(fields: unknown): Bytes {
  if (typeof fields !== 'object' || fields === null) throw new BadDocument('not_an_object', 'reply');
  const reply = fields as Record<string, unknown>;
  if (Object.keys(reply).join() !== 'command,entry,time_ns,code,body' || typeof reply.code !== 'string') throw new BadDocument('other_fields', 'reply');
  return concat(
    Uint8Array.of(0x96),
    packText('reply.1'),
    packBytes(unhex(reply.command, 'reply.command')),
    packNumber(readNumber(reply.entry, 'reply.entry')),
    packNumber(readNumber(reply.time_ns, 'reply.time_ns')),
    packText(reply.code),
    packBytes(unbase64(reply.body, 'reply.body')),
  );
}

class Unpacker {
  private at = 0;

  constructor(private readonly raw: Uint8Array) {}

  take(count: number): Uint8Array {
    if (this.at + count > this.raw.length) throw new BadDocument('too_short', 'reply');
    this.at += count;
    return this.raw.subarray(this.at - count, this.at);
  }

  private big(width: number): bigint {
    return this.take(width).reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
  }

  number(): bigint {
    const code = Number(this.big(1));
    if (code < 0x80) return BigInt(code);
    const width = { 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8 }[code];
    if (!width) throw new BadDocument('not_a_reply', `byte ${this.at}`);
    return this.big(width);
  }

  sized(codes: readonly [number, number, number], short?: number): Uint8Array {
    const code = Number(this.big(1));
    if (short !== undefined && (code & 0xe0) === short) return this.take(code & 0x1f);
    const place = codes.indexOf(code);
    if (place < 0) throw new BadDocument('not_a_reply', `byte ${this.at}`);
    return this.take(Number(this.big(2 ** place)));
  }

  bytes = (): Uint8Array => this.sized([0xc4, 0xc5, 0xc6]);
  text = (): string => new TextDecoder('utf-8', { fatal: true }).decode(this.sized([0xd9, 0xda, 0xdb], 0xa0).slice());
}

export function replyFields(data: Bytes): ReplyFields {
  const reader = new Unpacker(data);
  if (reader.take(1)[0] !== 0x96 || reader.text() !== 'reply.1') throw new BadDocument('not_a_reply', 'byte 0');
  const command = hex(reader.bytes());
  const entry = reader.number().toString();
  const time = reader.number().toString();
  const fields: ReplyFields = { command, entry, time_ns: time, code: reader.text(), body: base64(reader.bytes()) };
  const again = replyBytes(fields);
  if (again.length !== data.length || again.some((byte, at) => byte !== data[at])) throw new BadDocument('not_the_one_form', 'reply');
  return fields;
}

/** The bytes of a leaf: tag, blind, data. */
export const leafBytes = (tag: number, blind: Bytes, data: Bytes): Bytes => concat(Uint8Array.of(tag), blind, data);
export const DOMAINS = { genesis: ascii('formicary genesis v1\n'), head: ascii('formicary tree head v1\n'), rotation: ascii('formicary rotation v1\n') };
