/** The record of a day's backing, as the ledger replied to the command that counted it (MessagePack, shortest form). */
import { BadDocument } from './bytes';

export const AMOUNTS = ['customers_minor', 'nostro_minor', 'transit_minor', 'claims_minor', 'own_minor', 'closing_minor', 'unlisted_minor', 'difference_minor'] as const;
const FIELDS = ['asset', 'customers_minor', 'nostro_minor', 'transit_minor', 'claims_minor', 'own_minor', 'statement', 'closing_minor', 'unlisted_minor', 'difference_minor'] as const;

export type Amount = (typeof AMOUNTS)[number];
export type BackedOn = Record<(typeof FIELDS)[number], bigint> & { verdict: string };

export interface Attested {
  day: number;
  items: BackedOn[];
}

const UNSIGNED: Record<number, number> = { 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8 };
const SIGNED: Record<number, number> = { 0xd0: 1, 0xd1: 2, 0xd2: 4, 0xd3: 8 };

class Reader {
  private at = 0;

  constructor(private readonly raw: Uint8Array) {}

  private big(width: number): bigint {
    if (this.at + width > this.raw.length) throw new BadDocument('too_short', 'reply.body');
    this.at += width;
    return this.raw.subarray(this.at - width, this.at).reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
  }

  number(): bigint {
    const code = Number(this.big(1));
    if (code < 0x80) return BigInt(code);
    if (code >= 0xe0) return BigInt(code - 0x100);
    const unsigned = UNSIGNED[code];
    if (unsigned) return this.big(unsigned);
    const signed = SIGNED[code];
    if (signed) return BigInt.asIntN(8 * signed, this.big(signed));
    throw new BadDocument('not_a_reply', 'reply.body');
  }

  array(): number {
    const code = Number(this.big(1));
    if ((code & 0xf0) === 0x90) return code & 0x0f;
    if (code === 0xdc) return Number(this.big(2));
    throw new BadDocument('not_a_reply', 'reply.body');
  }

  text(): string {
    const code = Number(this.big(1));
    if ((code & 0xe0) !== 0xa0) throw new BadDocument('not_a_reply', 'reply.body');
    let text = '';
    for (let left = code & 0x1f; left; left -= 1) text += String.fromCharCode(Number(this.big(1)));
    return text;
  }

  get done(): boolean {
    return this.at === this.raw.length;
  }
}

/** Reads the body of the reply; refuses whatever is not exactly a day's record. */
export function readAttested(body: Uint8Array): Attested {
  const reader = new Reader(body);
  if (reader.array() !== 2) throw new BadDocument('not_a_reply', 'reply.body');
  const day = Number(reader.number());
  const items = Array.from({ length: reader.array() }, () => {
    if (reader.array() !== FIELDS.length + 1) throw new BadDocument('not_a_reply', 'reply.body');
    const numbers = Object.fromEntries(FIELDS.map((name) => [name, reader.number()])) as Omit<BackedOn, 'verdict'>;
    return { ...numbers, verdict: reader.text() } as BackedOn;
  });
  if (!reader.done) throw new BadDocument('too_long', 'reply.body');
  return { day, items };
}
