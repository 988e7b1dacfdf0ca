import Button from 'antd/es/button';
import Input from 'antd/es/input';
import { useState } from 'react';
import { type Page as PageOf, ask } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';
import { go, href } from '../../shared/router';
import { sayProblem } from '../../shared/say';
import { useAsk } from '../../shared/useAsk';
import { Asked, Card, Facts } from '../../operator/parts/ui';
import { hex } from '../proof/bytes';
import { useHead } from '../known';
import { Verdict, useWhy } from '../Verdict';

interface Entry {
  index: number;
  time: string;
  time_ns: string;
  kind: string;
  epoch: number;
  records: number;
  bytes: number;
  parent: string;
  hash: string;
  digest: string;
}

/** The head as the ledger signed it, and the chain of entries under it. */
export function Ledger() {
  const { t, number, date } = useWords();
  const why = useWhy();
  const known = useHead();
  const first = useAsk<PageOf<Entry>>('/v1/entries', { limit: 25 }, { everyS: 8 });
  const [more, setMore] = useState<PageOf<Entry>>();
  const [wanted, setWanted] = useState('');
  const items = more ? more.items : (first.data?.items ?? []);
  const next = more ? more.next : first.data?.next;
  const load = async (after: string | undefined) => {
    try {
      setMore(await ask<PageOf<Entry>>('/v1/entries', { after, limit: 25 }));
      scrollTo({ top: 0 });
    } catch (error) {
      sayProblem(error);
    }
  };
  const { head, proven } = known;
  return (
    <div className="op-page">
      <header className="op-head"><div><h1>{t('ledger.title')}</h1><p>{t('ledger.text')}</p></div></header>
      {head && proven ? (
        <section className="ex-head">
          <div className="ex-head-main">
            <p className="ex-note">{proven.note || t('ledger.unnamed')}</p>
            <strong>{number(Number(head.head.size))}</strong>
            <span>{t('ledger.leaves')}</span>
            <p className="ex-checked"><Icon name="shieldOk" size={20} />{t('ledger.checked')}</p>
          </div>
          <Facts items={[[t('ledger.entry'), number(Number(head.head.entry))], [t('ledger.signed'), date(Number(head.head.timeNs / 1_000_000n), { dateStyle: 'medium', timeStyle: 'medium' })], [t('ledger.id'), <code key="i">{proven.ledgerId}</code>], [t('ledger.root'), <code key="r">{hex(head.head.root)}</code>], [t('ledger.key'), <code key="k">{proven.signer}</code>], [t('ledger.keys'), number(proven.keys)]]} />
        </section>
      ) : known.problem ? <Verdict good={false} title={t('ledger.bad_head')}><p>{why(known.problem)}</p></Verdict> : null}
      {known.changed ? <Verdict good="half" title={t('ledger.other')}><p>{t('ledger.other_text')}</p></Verdict> : null}
      <Card title={t('ledger.entries')} side={<Input.Search className="ex-find" inputMode="numeric" placeholder={t('ledger.find')} aria-label={t('ledger.find')} value={wanted} onChange={(event) => setWanted(event.target.value.replace(/\D/g, ''))} onSearch={(text) => { if (text) go(`/entry/${text}`); }} />}>
        <Asked of={first}>
          {() => (
            <ol className="chain" aria-label={t('ledger.entries')}>
              {items.map((one) => (
                <li key={one.index}>
                  <a href={href(`/entry/${one.index}`)}>
                    <b>{number(one.index)}</b>
                    <span className="chain-kind" data-kind={one.kind}>{t(`kinds.${one.kind}`)}{one.records ? ` · ${number(one.records)}` : ''}</span>
                    <code>{one.hash.slice(0, 16)}…</code>
                    <time dateTime={one.time}>{date(one.time, { timeStyle: 'medium', dateStyle: 'short' })}</time>
                  </a>
                </li>
              ))}
            </ol>
          )}
        </Asked>
        <span className="op-acts">{more ? <Button onClick={() => setMore(undefined)}>{t('ledger.newest')}</Button> : null}{next ? <Button onClick={() => void load(next)}>{t('ledger.older')}</Button> : null}</span>
      </Card>
    </div>
  );
}

/** One entry, and whether the next one continues it. */
export function EntryPage({ found }: { found: Record<string, string> }) {
  const { t, number, date } = useWords();
  const index = Number(found.index);
  const one = useAsk<Entry>(`/v1/entries/${found.index}`);
  const before = useAsk<Entry>(index > 1 ? `/v1/entries/${index - 1}` : null);
  const linked = one.data && before.data ? one.data.parent === before.data.hash : undefined;
  return (
    <div className="op-page">
      <header className="op-head"><div><h1>{t('entry.title', { index: number(index) })}</h1></div><div className="op-side"><a href={href('/')}>{t('nav.ledger')}</a></div></header>
      <Asked of={one}>
        {(data) => (
          <>
            <Card>
              <Facts items={[[t('entry.time'), date(data.time, { dateStyle: 'full', timeStyle: 'medium' })], [t('entry.time_ns'), <code key="n">{data.time_ns}</code>], [t('entry.kind'), t(`kinds.${data.kind}`)], [t('entry.records'), number(data.records)], [t('entry.bytes'), number(data.bytes)], [t('entry.epoch'), number(data.epoch)], [t('entry.hash'), <code key="h">{data.hash}</code>], [t('entry.parent'), <code key="p">{data.parent}</code>], [t('entry.digest'), <code key="d">{data.digest}</code>]]} />
              <p className="quiet">{t('entry.content')}</p>
            </Card>
            {linked === undefined ? null : <Verdict good={linked} title={t(linked ? 'entry.linked' : 'entry.broken')}><p>{t('entry.linked_text', { before: number(index - 1) })}</p></Verdict>}
            <span className="op-acts">{index > 1 ? <Button href={href(`/entry/${index - 1}`)}>{t('entry.before')}</Button> : null}<Button href={href(`/entry/${index + 1}`)}>{t('entry.after')}</Button></span>
          </>
        )}
      </Asked>
    </div>
  );
}
