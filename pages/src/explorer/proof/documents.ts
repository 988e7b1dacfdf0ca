/**
 * Receipts and signed heads in their three writings (JSON, bytes, text of a QR code). Each has exactly one writing in
 * each form: what is read is written again and compared, so that a file with any byte changed is refused.
 */
import { BadDocument, type Bytes, ascii, base64, hex, readNumber, same, unbase45, unbase64, unhex, unlittle, utf8 } from './bytes';
import { REPLY_TAG, type ReplyFields, TRANSFER_TAG, type TransferFields, replyBytes, replyFields, transferFields, transferRecord } from './leaf';

export interface Identity {
  version: number;
  createdNs: bigint;
  publicKey: Bytes;
  blindingHash: Bytes;
  note: string;
}

export interface Head {
  size: bigint;
  root: Bytes;
  timeNs: bigint;
  entry: bigint;
  signature: Bytes;
}

export interface Turn {
  afterEntry: bigint;
  newPublicKey: Bytes;
  signature: Bytes;
}

interface Signed {
  identity: Identity;
  rotations: Turn[];
  head: Head;
  /** As the JSON form states them; checked against what they must be. */
  stated?: { ledgerId: string; keyId: string };
}

export interface Receipt extends Signed {
  kind: 'receipt';
  tag: number;
  blind: Bytes;
  data: Bytes;
  leaf: bigint;
  path: Bytes[];
}

export interface Statement extends Signed {
  kind: 'head';
  oldSize: bigint;
  proof: Bytes[];
}

export type Document = Receipt | Statement;

const INPUT_MAX = 1 << 20;
const QR_PREFIX = 'FORMICARY1:';
const MAGIC = ascii('FRM');

/** Reads a receipt or a signed head in any form; throws BadDocument. */
export function readDocument(raw: Bytes): Document {
  if (raw.length > INPUT_MAX) throw new BadDocument('too_large');
  if (same(raw.subarray(0, 3), MAGIC)) return readBytes(raw);
  const start = String.fromCharCode(...raw.subarray(0, QR_PREFIX.length));
  if (start === QR_PREFIX) return readBytes(unbase45(new TextDecoder('latin1').decode(raw.subarray(QR_PREFIX.length))));
  if (start.startsWith('{')) return readJson(raw);
  throw new BadDocument('not_a_receipt');
}

// ── JSON ──

type Json = Record<string, unknown>;

function part(of: unknown, where: string, names: string): Json {
  if (typeof of !== 'object' || of === null || Array.isArray(of)) throw new BadDocument('not_an_object', where);
  if (Object.keys(of).sort().join(' ') !== names.split(' ').sort().join(' ')) throw new BadDocument('other_fields', where);
  return of as Json;
}

function items(of: unknown, where: string): unknown[] {
  if (!Array.isArray(of)) throw new BadDocument('not_a_list', where);
  return of;
}

function readJson(raw: Bytes): Document {
  let form: Json;
  try {
    form = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw)) as Json;
  } catch {
    throw new BadDocument('not_json');
  }
  const isReceipt = form.formicary === 'receipt 1';
  if (!isReceipt && form.formicary !== 'head 1') throw new BadDocument('not_a_receipt', 'formicary');
  const ledger = part(form.ledger, 'ledger', 'id note version created_ns public_key blinding_hash');
  const head = part(form.head, 'head', 'size root time_ns entry key_id signature');
  const signed: Signed = {
    identity: identity(ledger),
    rotations: items(form.rotations, 'rotations').map((each, at) => {
      const turn = part(each, `rotations[${at}]`, 'after_entry new_public_key signature');
      return { afterEntry: readNumber(turn.after_entry, 'after_entry'), newPublicKey: unhex(turn.new_public_key, 'new_public_key', 32), signature: unbase64(turn.signature, 'signature', 64) };
    }),
    head: { size: readNumber(head.size, 'head.size'), root: unhex(head.root, 'head.root', 32), timeNs: readNumber(head.time_ns, 'head.time_ns'), entry: readNumber(head.entry, 'head.entry'), signature: unbase64(head.signature, 'head.signature', 64) },
    stated: { ledgerId: String(ledger.id), keyId: String(head.key_id) },
  };
  checkTurns(signed.rotations);
  const document: Document = isReceipt ? receiptOf(form, signed) : statementOf(form, signed);
  if (!same(raw, utf8(writeJson(document)))) throw new BadDocument('not_the_one_form');
  return document;
}

function receiptOf(form: Json, signed: Signed): Receipt {
  const about = 'transfer' in form ? 'transfer' : 'reply';
  part(form, '', `formicary ${about} ledger leaf head path rotations`);
  const leaf = part(form.leaf, 'leaf', 'index blind');
  const path = items(form.path, 'path').map((each) => unbase64(each, 'path', 32));
  const data = about === 'transfer' ? transferRecord(form.transfer) : replyBytes(form.reply);
  const tag = about === 'transfer' ? TRANSFER_TAG : REPLY_TAG;
  return { ...signed, kind: 'receipt', tag, blind: unhex(leaf.blind, 'leaf.blind', 16), data, leaf: readNumber(leaf.index, 'leaf.index'), path };
}

function statementOf(form: Json, signed: Signed): Statement {
  part(form, '', 'formicary ledger head old_size proof rotations');
  return { ...signed, kind: 'head', oldSize: readNumber(form.old_size, 'old_size'), proof: items(form.proof, 'proof').map((each) => unbase64(each, 'proof', 32)) };
}

function identity(ledger: Json): Identity {
  const { note, version } = ledger;
  if (typeof note !== 'string' || typeof version !== 'number') throw new BadDocument('other_fields', 'ledger');
  const made = { version, createdNs: readNumber(ledger.created_ns, 'ledger.created_ns'), publicKey: unhex(ledger.public_key, 'ledger.public_key', 32), blindingHash: unbase64(ledger.blinding_hash, 'ledger.blinding_hash', 32), note };
  checkIdentity(made);
  return made;
}

function checkIdentity(one: Identity): void {
  if (one.version !== 1) throw new BadDocument('version_unknown', 'ledger.version');
  if (utf8(one.note).length > 64 || /[\p{C}\p{Zl}\p{Zp}]/u.test(one.note)) throw new BadDocument('bad_note', 'ledger.note');
}

function checkTurns(turns: readonly Turn[]): void {
  if (turns.length > 255) throw new BadDocument('too_large', 'rotations');
}

/** Writes the JSON form: two spaces of indent, one line feed at the end. */
export function writeJson(document: Document): string {
  const { identity: of, head, rotations, stated } = document;
  const ledger = { id: stated?.ledgerId ?? '', note: of.note, version: of.version, created_ns: `${of.createdNs}`, public_key: hex(of.publicKey), blinding_hash: base64(of.blindingHash) };
  const signed = { size: `${head.size}`, root: hex(head.root), time_ns: `${head.timeNs}`, entry: `${head.entry}`, key_id: stated?.keyId ?? '', signature: base64(head.signature) };
  const turns = rotations.map((each) => ({ after_entry: `${each.afterEntry}`, new_public_key: hex(each.newPublicKey), signature: base64(each.signature) }));
  const form =
    document.kind === 'receipt'
      ? { formicary: 'receipt 1', ...aboutOf(document), ledger, leaf: { index: `${document.leaf}`, blind: hex(document.blind) }, head: signed, path: document.path.map(base64), rotations: turns }
      : { formicary: 'head 1', ledger, head: signed, old_size: `${document.oldSize}`, proof: document.proof.map(base64), rotations: turns };
  return `${JSON.stringify(form, null, 2)}\n`;
}

/** What a receipt is about, field by field. */
export function aboutOf(receipt: Receipt): { transfer: TransferFields } | { reply: ReplyFields } {
  if (receipt.tag === TRANSFER_TAG) return { transfer: transferFields(receipt.data) };
  if (receipt.tag === REPLY_TAG) return { reply: replyFields(receipt.data) };
  throw new BadDocument('tag_unknown', 'leaf');
}

// ── bytes ──

class Reader {
  at = 0;

  constructor(readonly raw: Bytes) {}

  take(count: number): Bytes {
    const found = this.raw.slice(this.at, this.at + count);
    if (found.length !== count) throw new BadDocument('too_short', `byte ${this.at}`);
    this.at += count;
    return found;
  }

  number = (width: number): bigint => unlittle(this.take(width));
  small = (width: number): number => Number(this.number(width));

  hashes(): Bytes[] {
    const found = Array.from({ length: this.small(1) }, () => this.take(32));
    if (this.at !== this.raw.length) throw new BadDocument('too_long', `byte ${this.at}`);
    return found;
  }
}

function readBytes(raw: Bytes): Document {
  const reader = new Reader(raw);
  if (!same(reader.take(3), MAGIC)) throw new BadDocument('not_a_receipt', 'byte 0');
  const kind = reader.small(1);
  if (kind !== 1 && kind !== 2) throw new BadDocument('not_a_receipt', 'byte 3');
  const version = reader.small(2);
  const createdNs = reader.number(8);
  const publicKey = reader.take(32);
  const blindingHash = reader.take(32);
  let note: string;
  try {
    note = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(reader.take(reader.small(1)));
  } catch (error) {
    if (error instanceof BadDocument) throw error;
    throw new BadDocument('bad_note', 'ledger.note');
  }
  const of: Identity = { version, createdNs, publicKey, blindingHash, note };
  checkIdentity(of);
  const rotations = Array.from({ length: reader.small(1) }, () => ({ afterEntry: reader.number(8), newPublicKey: reader.take(32), signature: reader.take(64) }));
  checkTurns(rotations);
  const head: Head = { size: reader.number(8), root: reader.take(32), timeNs: reader.number(8), entry: reader.number(8), signature: reader.take(64) };
  if (kind === 2) return { kind: 'head', identity: of, rotations, head, oldSize: reader.number(8), proof: reader.hashes() };
  const leaf = reader.number(8);
  const tag = reader.small(1);
  const blind = reader.take(16);
  const data = reader.take(reader.small(4));
  const receipt: Receipt = { kind: 'receipt', identity: of, rotations, head, leaf, tag, blind, data, path: reader.hashes() };
  aboutOf(receipt);
  return receipt;
}
