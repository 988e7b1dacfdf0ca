// @vitest-environment node
import { describe, expect, test } from 'vitest';
import { assetOf } from '../src/explorer/proof/assets';
import { BadDocument, type Bytes, unhex, utf8 } from '../src/explorer/proof/bytes';
import { type Receipt, type Statement, aboutOf, readDocument, writeJson } from '../src/explorer/proof/documents';
import { NotProven, verify, verifyGrowth } from '../src/explorer/proof/verify';
import vectors from './vectors/receipts.json';

const FORMS = ['json', 'hex', 'text'] as const;
type Forms = Record<(typeof FORMS)[number], string>;
const raw = (forms: Forms, form: (typeof FORMS)[number]): Bytes => (form === 'hex' ? unhex(forms.hex, 'test') : utf8(forms[form]));
const read = (forms: Forms, form: (typeof FORMS)[number] = 'json') => readDocument(raw(forms, form));
const all = [...vectors.early.receipts, ...vectors.late.receipts, vectors.early.head, vectors.late.head, vectors.other_head];

describe('the check of receipts in the browser', () => {
  test.each(FORMS)('everything that the library wrote as %s verifies', async (form) => {
    for (const forms of all.slice(0, -1)) {
      const proven = await verify(read(forms, form), vectors.ledger_id);
      expect(proven.ledgerId).toBe(vectors.ledger_id);
      expect(proven.trusted).toBe(true);
      expect(proven.note).toBe('Bäckerei');
    }
  });

  test('each form says the same, and is written the one way', () => {
    for (const forms of all) {
      const json = read(forms, 'json');
      expect(writeJson(json)).toBe(forms.json);
      const { stated: _, ...without } = json;
      expect(read(forms, 'hex')).toEqual(without);
      expect(read(forms, 'text')).toEqual(without);
    }
  });

  test('a receipt tells what it is about', () => {
    expect(aboutOf(read(vectors.early.receipts[1] as Forms) as Receipt)).toMatchObject({ transfer: { id: '10', amount: '1000', asset: 978 } });
    expect(aboutOf(read(vectors.late.receipts[3] as Forms) as Receipt)).toMatchObject({ reply: { code: 'ok', entry: '3' } });
    expect(assetOf(978)).toEqual({ code: 'EUR', decimals: 2 });
    expect(assetOf(392).decimals).toBe(0);
  });

  test('any changed byte is refused', async () => {
    const bytes = raw(vectors.late.receipts[1] as Forms, 'hex');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = bytes.slice() as Bytes;
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect((async () => verify(readDocument(changed), vectors.ledger_id))(), `byte ${at}`).rejects.toThrow();
    }
    const text = vectors.early.receipts[0]?.json ?? '';
    expect(() => readDocument(utf8(text.replace('\n', '\n ')))).toThrow(BadDocument);
    expect(() => readDocument(utf8(text.replace('"amount": "100"', '"amount": "0100"')))).toThrow(BadDocument);
    await expect(verify(readDocument(utf8(text.replace('"amount": "100"', '"amount": "900"'))))).rejects.toThrow(NotProven);
    await expect(verify(readDocument(utf8(text.replace(vectors.ledger_id, '0'.repeat(32)))))).rejects.toThrow(BadDocument);
  });

  test('keys and ledgers that one knows from elsewhere decide on trust', async () => {
    const late = read(vectors.late.receipts[0] as Forms);
    for (const trusted of [vectors.ledger_id, vectors.first_key, vectors.last_key]) expect((await verify(late, trusted)).trusted).toBe(true);
    expect((await verify(late)).trusted).toBe(false);
    await expect(verify(late, 'ab'.repeat(16))).rejects.toMatchObject({ code: 'not_trusted' });
    await expect(verify(read(vectors.early.receipts[0] as Forms), vectors.last_key)).rejects.toMatchObject({ code: 'not_trusted' });
  });

  test('a later head proves that nothing was rewritten', async () => {
    const now = read(vectors.late.head) as Statement;
    for (const old of [vectors.early.head, ...vectors.early.receipts]) expect((await verifyGrowth(read(old), now, vectors.ledger_id)).keys).toBe(3);
    const none = read(vectors.early.head) as Statement;
    await expect(verifyGrowth(read(vectors.late.head), none)).rejects.toMatchObject({ code: 'two_histories' });
    await expect(verifyGrowth(read(vectors.other_head), now)).rejects.toMatchObject({ code: 'consistency_other_ledger' });
    const broken = { ...now, proof: now.proof.slice(1) };
    await expect(verifyGrowth(read(vectors.early.head), broken)).rejects.toMatchObject({ code: 'two_histories' });
  });

  test('what is no receipt is refused with a reason', () => {
    expect(() => readDocument(utf8('{}'))).toThrow(/not_a_receipt/);
    expect(() => readDocument(utf8('hello'))).toThrow(/not_a_receipt/);
    expect(() => readDocument(utf8('FORMICARY1:abc'))).toThrow(/not_base45/);
    expect(() => readDocument(new Uint8Array(2 << 20) as Bytes)).toThrow(/too_large/);
  });
});
