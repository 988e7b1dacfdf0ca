import Button from 'antd/es/button';
import { useState } from 'react';
import { useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';
import { Card, Facts } from '../../operator/parts/ui';
import { Drop } from '../Drop';
import { Verdict, useWhy } from '../Verdict';
import { keptLedger, readHead } from '../known';
import { type Bytes, hex } from '../proof/bytes';
import { type Document, type Statement, readDocument } from '../proof/documents';
import { verifyGrowth } from '../proof/verify';

/** Two heads: that the later tree begins with the earlier one, unchanged. */
export function Growth() {
  const { t, number, date } = useWords();
  const why = useWhy();
  const [old, setOld] = useState<Document>();
  const [now, setNow] = useState<Statement>();
  const [error, setError] = useState<unknown>();
  const [proven, setProven] = useState(false);
  const check = async (before: Document, later?: Statement) => {
    setError(undefined);
    setProven(false);
    try {
      const head = later ?? (await readHead(before.head.size)).head;
      setNow(head);
      await verifyGrowth(before, head, keptLedger());
      setProven(true);
    } catch (problem) {
      setError(problem);
    }
  };
  const takeOld = (raw: Bytes) => {
    setError(undefined);
    setProven(false);
    setNow(undefined);
    try {
      const document = readDocument(raw);
      setOld(document);
      void check(document);
    } catch (problem) {
      setOld(undefined);
      setError(problem);
    }
  };
  const takeNew = (raw: Bytes) => {
    try {
      const document = readDocument(raw);
      if (document.kind !== 'head') throw new Error('a receipt is no head');
      if (old) void check(old, document);
    } catch (problem) {
      setError(problem);
    }
  };
  const keep = async () => {
    try {
      const { text, head } = await readHead();
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
      link.download = `head-${head.head.size}.json`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    } catch (problem) {
      setError(problem);
    }
  };
  const facts = (one: Document) => [[t('ledger.leaves_short'), number(Number(one.head.size))], [t('ledger.entry'), number(Number(one.head.entry))], [t('ledger.signed'), date(Number(one.head.timeNs / 1_000_000n))], [t('ledger.root'), <code key="r">{hex(one.head.root)}</code>]] as const;
  return (
    <div className="op-page">
      <header className="op-head"><div><h1>{t('growth.title')}</h1><p>{t('growth.text')}</p></div><div className="op-side"><Button icon={<Icon name="download" size={18} />} onClick={() => void keep()}>{t('growth.keep')}</Button></div></header>
      {proven && old && now ? <Verdict answer good title={t('growth.yes')}><p>{t('growth.yes_text', { old: number(Number(old.head.size)), now: number(Number(now.head.size)), before: date(Number(old.head.timeNs / 1_000_000n)) })}</p></Verdict> : null}
      {error ? <Verdict answer good={false} title={t('growth.no')}><p>{why(error)}</p></Verdict> : null}
      <div className="op-two ex-pair">
        {old ? <Card title={t('growth.old')} side={<Button size="small" onClick={() => { setOld(undefined); setNow(undefined); setProven(false); setError(undefined); }}>{t('growth.another')}</Button>}><Facts items={facts(old)} /></Card> : <Drop title={t('growth.drop_old')} text={t('growth.drop_old_text')} onBytes={takeOld} />}
        {now ? <Card title={t('growth.now')}><Facts items={facts(now)} /></Card> : old ? <Drop title={t('growth.drop_new')} text={t('growth.drop_new_text')} onBytes={takeNew} /> : <Card title={t('growth.how')}><p className="quiet">{t('growth.how_text')}</p></Card>}
      </div>
    </div>
  );
}
