import Button from 'antd/es/button';
import Input from 'antd/es/input';
import Modal from 'antd/es/modal';
import Segmented from 'antd/es/segmented';
import { useState } from 'react';
import { ask, tell } from '../../shared/api';
import type { Party } from '../../shared/answers';
import { hasWords, useWords } from '../../shared/i18n';
import { useAsk } from '../../shared/useAsk';
import type { OpenItem, Reconciled } from '../answers';
import { List, useList } from '../parts/list';
import { Act, Asked, BigMoney, Card, Facts, Money, Page, StateTag } from '../parts/ui';

const KINDS = ['booking', 'withdrawal', 'unlisted'] as const;

/** The ledger against the banks' own statements, and what is open. */
export function Reconciliation() {
  const { t, number } = useWords();
  const all = useAsk<{ items: Reconciled[] }>('/v1/bank/reconciliation', {}, { everyS: 30 });
  const [asset, setAsset] = useState('');
  return (
    <Page title={t('nav.bank')} text={t('bank.text')}>
      <Asked of={all}>
        {({ items }) => {
          const chosen = items.find((one) => one.asset === asset) ?? items[0];
          if (!chosen) return <p className="quiet">{t('bank.none')}</p>;
          return (
            <>
              {items.length > 1 ? <div className="op-scroll"><Segmented value={chosen.asset} onChange={setAsset} options={items.map((one) => ({ value: one.asset, label: `${one.asset}${one.difference_minor || one.problems.length ? ' •' : ''}` }))} /></div> : null}
              <One of={chosen} />
              <Open key={chosen.asset} asset={chosen.asset} counts={{ booking: number(chosen.open_entries), withdrawal: number(chosen.under_way), unlisted: '' }} again={all.again} />
            </>
          );
        }}
      </Asked>
    </Page>
  );
}

function One({ of }: { of: Reconciled }) {
  const { t, number, money } = useWords();
  const good = of.difference_minor === 0 && of.problems.length === 0;
  const day = String(of.statement_date).replace(/^(....)(..)(..)$/, '$1-$2-$3');
  return (
    <div className="op-two">
      <Card className="op-equation" title={t('bank.sum')} side={<StateTag state={good ? 'approved' : 'rejected'} words={t(good ? 'bank.agrees' : 'bank.differs')} />}>
        <dl className="op-sums">
          <div><dt>{t('bank.closing', { number: of.statement, day: of.statement < 0 ? '—' : day })}</dt><dd><Money minor={of.closing_minor} asset={of.asset} /></dd></div>
          <div><dt>+ {t('bank.unlisted')}</dt><dd><Money minor={of.unlisted_minor} asset={of.asset} /></dd></div>
          <div data-bad={of.difference_minor !== 0}><dt>+ {t('bank.difference')}</dt><dd><Money minor={of.difference_minor} asset={of.asset} /></dd></div>
          <div><dt>= {t('bank.nostro')}</dt><dd><BigMoney minor={of.nostro_minor} asset={of.asset} /></dd></div>
        </dl>
        {of.problems.map((one, index) => <p key={index} className="op-wrong">{t(`bank_problems.${one.kind}`, { statement: one.statement, expected: one.kind.includes('count') || one.kind.includes('missing') ? number(one.expected_minor) : money(one.expected_minor, of.asset), found: one.kind.includes('count') || one.kind.includes('missing') ? number(one.found_minor) : money(one.found_minor, of.asset) })}</p>)}
      </Card>
      <Card title={t('bank.work')}>
        <Facts items={[[t('bank.matched'), number(of.matched)], [t('bank.open_entries'), number(of.open_entries)], [t('bank.open_in'), <Money key="i" minor={of.open_in_minor} asset={of.asset} />], [t('bank.open_out'), <Money key="o" minor={of.open_out_minor} asset={of.asset} />], [t('bank.under_way'), <span key="u">{number(of.under_way)} · <Money minor={of.under_way_minor} asset={of.asset} /></span>]]} />
      </Card>
    </div>
  );
}

function Open({ asset, counts, again }: { asset: string; counts: Record<string, string>; again: () => void }) {
  const { t, date } = useWords();
  const [kind, setKind] = useState<(typeof KINDS)[number]>('booking');
  const list = useList<OpenItem>('/v1/bank/open_items', { asset, kind });
  const [item, setItem] = useState<OpenItem>();
  const [find, setFind] = useState('');
  const [person, setPerson] = useState<Party>();
  const act = async (path: string, more: object = {}) => {
    await tell(path, { entry_ref: item?.ref, ...more });
    setItem(undefined);
    setPerson(undefined);
    setFind('');
    list.again();
    again();
  };
  return (
    <Card title={t('bank.open')}>
      <div className="op-stack">
        <div className="op-scroll"><Segmented value={kind} onChange={setKind} options={KINDS.map((one) => ({ value: one, label: `${t(`open_kinds.${one}`)}${counts[one] ? ` (${counts[one]})` : ''}` }))} /></div>
        <List<OpenItem>
          of={list}
          label={t('bank.open')}
          rowKey="ref"
          columns={[
            { title: t('bank.since'), key: 'since', render: (_, row) => date(row.since) },
            { title: t('bank.direction'), key: 'direction', render: (_, row) => t(`directions.${row.direction}`) },
            { title: t('cases.amount'), key: 'amount', align: 'right', render: (_, row) => <Money minor={row.amount_minor} asset={asset} strong /> },
            { title: t('bank.why'), key: 'why', render: (_, row) => (hasWords(`open_whys.${row.why}`) ? t(`open_whys.${row.why}`) : row.why.replaceAll('_', ' ')) },
            { title: t('bank.ref'), key: 'ref', render: (_, row) => <code>{row.ref.slice(0, 12)}…</code> },
            { title: t('people.acts'), key: 'act', render: (_, row) => (kind === 'booking' ? <Button size="small" onClick={() => setItem(row)}>{t('bank.settle')}</Button> : null) },
          ]}
        />
      </div>
      <Modal open={item !== undefined} title={t('bank.settle')} footer={null} onCancel={() => setItem(undefined)}>
        {item ? (
          <div className="op-stack">
            <BigMoney minor={item.amount_minor} asset={asset} />
            <p className="quiet">{t(`directions.${item.direction}`)} · {date(item.since)}</p>
            {item.direction === 'in' ? (
              <>
                <label className="op-label">{t('bank.to_whom')}<Input.Search value={find} onChange={(event) => { setFind(event.target.value); setPerson(undefined); }} placeholder="@name, id" onSearch={(typed) => { void ask<Party>('/v1/parties', { find: typed.trim() }).then(setPerson, () => setPerson(undefined)); }} /></label>
                <Act type="primary" block disabled={!person} act={() => act('/v1/bank/assign', { person: person?.id })} done={t('bank.done')}>{person ? t('bank.assign_to', { name: person.name || person.id }) : t('bank.assign')}</Act>
                <Act block act={() => act('/v1/bank/send_back')} done={t('bank.done')}>{t('bank.send_back')}</Act>
              </>
            ) : null}
            <Act block act={() => act('/v1/bank/take_own')} done={t('bank.done')}>{t('bank.take_own')}</Act>
          </div>
        ) : null}
      </Modal>
    </Card>
  );
}
