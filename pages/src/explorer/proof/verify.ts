/** The check itself: keys from the genesis to the signer, the signed head, and the path from the leaf to its root. */
import { BadDocument, type Bytes, concat, hex, little, same, sha256, signedBy, utf8 } from './bytes';
import type { Document, Identity, Receipt, Statement } from './documents';
import { DOMAINS, leafBytes } from './leaf';

const TREE_MAX = 1n << 41n;

/** Why a document proves nothing; the codes are those of `formicary receipt verify`. */
export class NotProven extends Error {
  constructor(readonly code: string) {
    super(code);
    this.name = 'NotProven';
  }
}

export interface Proven {
  ledgerId: string;
  note: string;
  signer: string;
  /** Whether an id or a key was given, and the proof leads back to it. */
  trusted: boolean;
  keys: number;
  document: Document;
}

export async function ledgerIdOf(identity: Identity): Promise<Bytes> {
  const fields = concat(DOMAINS.genesis, little(BigInt(identity.version), 2), little(identity.createdNs, 8), identity.publicKey, identity.blindingHash, utf8(identity.note));
  return (await sha256(fields)).slice(0, 16);
}

export const keyId = async (key: Bytes): Promise<Bytes> => (await sha256(key)).slice(0, 8);

const nodeHash = (left: Bytes, right: Bytes) => sha256(concat(Uint8Array.of(1), left, right));

/** The root that an inclusion path leads to (RFC 9162 §2.1.3.2), or nothing when no path has this shape. */
export async function rootOfPath(leaf: Bytes, index: bigint, size: bigint, path: readonly Bytes[]): Promise<Bytes | undefined> {
  if (index < 0n || index >= size || size > TREE_MAX) return undefined;
  let fn = index;
  let sn = size - 1n;
  let r = leaf;
  for (const p of path) {
    if (sn === 0n) return undefined;
    if (fn & 1n || fn === sn) {
      r = await nodeHash(p, r);
      while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else r = await nodeHash(r, p);
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n ? r : undefined;
}

/** Whether the larger tree begins with the smaller one (RFC 9162 §2.1.4.2). */
export async function isConsistent(old: { size: bigint; root: Bytes }, now: { size: bigint; root: Bytes }, path: readonly Bytes[]): Promise<boolean> {
  if (old.size > now.size || now.size > TREE_MAX) return false;
  if (old.size === now.size) return path.length === 0 && same(old.root, now.root);
  if (old.size === 0n) return path.length === 0 && same(old.root, await sha256(new Uint8Array()));
  if (path.length === 0) return false;
  const whole = (old.size & (old.size - 1n)) === 0n;
  const [first, ...rest] = whole ? [old.root, ...path] : path;
  let fn = old.size - 1n;
  let sn = now.size - 1n;
  while (fn & 1n) [fn, sn] = [fn >> 1n, sn >> 1n];
  let fr = first as Bytes;
  let sr = fr;
  for (const c of rest) {
    if (sn === 0n) return false;
    if (fn & 1n || fn === sn) {
      [fr, sr] = [await nodeHash(c, fr), await nodeHash(c, sr)];
      while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else sr = await nodeHash(sr, c);
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n && same(fr, old.root) && same(sr, now.root);
}

/** Checks a receipt or a signed head. `trusted`: a ledger's id or key in hexadecimal that one knows from elsewhere. */
export async function verify(document: Document, trusted = ''): Promise<Proven> {
  if (!globalThis.crypto?.subtle) throw new BadDocument('no_crypto');
  const ledgerId = await ledgerIdOf(document.identity);
  const keys = await keysOf(document, ledgerId);
  const signer = keys.at(-1) as Bytes;
  await checkStated(document, ledgerId, signer);
  const { head } = document;
  const id = await keyId(signer);
  const words = concat(DOMAINS.head, ledgerId, little(head.size, 8), head.root, little(head.timeNs, 8), little(head.entry, 8), id);
  if (!(await signedBy(signer, words, head.signature))) throw new NotProven('head_not_signed');
  if (trusted && trusted !== hex(ledgerId) && !keys.some((key) => hex(key) === trusted)) throw new NotProven('not_trusted');
  if (document.kind === 'receipt') await checkPath(document);
  return { ledgerId: hex(ledgerId), note: document.identity.note, signer: hex(signer), trusted: trusted !== '', keys: keys.length, document };
}

async function keysOf(document: Document, ledgerId: Bytes): Promise<Bytes[]> {
  const keys = [document.identity.publicKey];
  for (const turn of document.rotations) {
    const before = keys.at(-1) as Bytes;
    if (same(turn.newPublicKey, before)) throw new NotProven('rotation_no_new_key');
    if (turn.afterEntry >= document.head.entry) throw new NotProven('rotation_early');
    const words = concat(DOMAINS.rotation, ledgerId, await keyId(before), turn.newPublicKey, little(turn.afterEntry, 8));
    if (!(await signedBy(before, words, turn.signature))) throw new NotProven('rotation_not_signed');
    keys.push(turn.newPublicKey);
  }
  return keys;
}

async function checkStated(document: Document, ledgerId: Bytes, signer: Bytes): Promise<void> {
  const { stated } = document;
  if (!stated) return;
  if (stated.ledgerId !== hex(ledgerId)) throw new BadDocument('not_the_one_form', 'ledger.id');
  if (stated.keyId !== hex(await keyId(signer))) throw new BadDocument('not_the_one_form', 'head.key_id');
}

async function checkPath(receipt: Receipt): Promise<void> {
  const leaf = await sha256(concat(Uint8Array.of(0), leafBytes(receipt.tag, receipt.blind, receipt.data)));
  const root = await rootOfPath(leaf, receipt.leaf, receipt.head.size, receipt.path);
  if (!root || !same(root, receipt.head.root)) throw new NotProven('receipt_wrong_path');
}

/** Checks that nothing under the older head was changed, moved or removed up to the newer one. */
export async function verifyGrowth(old: Document, now: Statement, trusted = ''): Promise<Proven> {
  const before = await verify(old, trusted);
  const after = await verify(now, trusted);
  if (before.ledgerId !== after.ledgerId) throw new NotProven('consistency_other_ledger');
  const turns = now.rotations.slice(0, old.rotations.length);
  const sameTurns = turns.length === old.rotations.length && turns.every((turn, at) => turn.afterEntry === old.rotations[at]?.afterEntry && same(turn.newPublicKey, old.rotations[at]?.newPublicKey ?? new Uint8Array()) && same(turn.signature, old.rotations[at]?.signature ?? new Uint8Array()));
  if (!sameTurns) throw new NotProven('two_histories');
  if (now.oldSize !== old.head.size) throw new NotProven('consistency_other_size');
  const agrees = await isConsistent(old.head, now.head, now.proof);
  if (!agrees || old.head.entry > now.head.entry) throw new NotProven('two_histories');
  return after;
}
