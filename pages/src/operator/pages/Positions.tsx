import Button from 'antd/es/button';
import Input from 'antd/es/input';
import Modal from 'antd/es/modal';
import { useState } from 'react';
import type { Party } from '../../shared/answers';
import type { Page as PageOf } from '../../shared/api';
import { tell } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { MoneyInput } from '../../shared/MoneyInput';
import { useAsk } from '../../shared/useAsk';
import type { Position, Settlement } from '../answers';
import { List, useList } from '../parts/list';
import { Act, Asked, BigMoney, Card, Facts, Money, Page, StateTag, Who, nameOf } from '../parts/ui';

interface Institution { institution: Party; own: boolean; address: string }

/** What is owed between this institution and others, and how it is settled through the banks. */
export function Positions() {
  const { t } = useWords();
  const known = useAsk<PageOf<Institution>>('/v1/clearing/institutions');
  const positions = useAsk<{ items: Position[] }>('/v1/clearing/positions', {}, { everyS: 15 });
  const settlements = useList<Settlement>('/v1/clearing/settlements', {}, 15);
  const again = () => { positions.again(); settlements.again(); };
  return (
    <Page title={t('nav.positions')} text={t('positions.text')}>
      <Asked of={known}>
        {({ items }) => {
          const others = items.filter((one) => !one.own);
          if (!others.length) return <Card><p>{t('positions.nobody')}</p></Card>;
          return <Asked of={positions}>{(found) => <div className="op-grid">{others.map((one) => <With key={one.institution.id} who={one.institution} lines={found.items.filter((line) => line.institution.id === one.institution.id)} again={again} />)}</div>}</Asked>;
        }}
      </Asked>
      <Settlements of={settlements} again={again} />
    </Page>
  );
}

function With({ who, lines, again }: { who: Party; lines: readonly Position[]; again: () => void }) {
  const { t } = useWords();
  const [form, setForm] = useState<'account' | Position>();
  const bank = lines.find((one) => one.our_reference);
  return (
    <Card title={nameOf(who)} side={<Button size="small" aria-label={`${t('positions.account')}: ${nameOf(who)}`} onClick={() => setForm('account')}>{t('positions.account')}</Button>}>
      {lines.length ? lines.map((one) => <Line key={one.asset} of={one} settle={() => setForm(one)} />) : <p className="quiet">{t('positions.even')}</p>}
      {bank ? <Facts items={[[t('positions.iban'), bank.iban ? <code key="i">{bank.iban}</code> : t('cases.unreadable')], [t('positions.their_reference'), bank.their_reference ? <code key="t">{bank.their_reference}</code> : t('common.none')], [t('positions.our_reference'), <code key="o">{bank.our_reference}</code>]]} /> : <p className="quiet">{t('positions.no_bank')}</p>}
      {form === 'account' ? <AccountForm who={who} close={() => setForm(undefined)} done={again} /> : form ? <SettleForm of={form} close={() => setForm(undefined)} done={again} /> : null}
    </Card>
  );
}

function Line({ of, settle }: { of: Position; settle: () => void }) {
  const { t } = useWords();
  const owed = of.we_owe_minor - of.they_owe_minor;
  return (
    <div className="op-position">
      <div><small>{t(owed > 0 ? 'positions.we_owe' : owed < 0 ? 'positions.they_owe' : 'positions.even')}</small><BigMoney minor={Math.abs(owed)} asset={of.asset} /></div>
      {of.under_way_out_minor || of.under_way_in_minor ? <small className="quiet">{t('positions.under_way')}: <Money minor={of.under_way_out_minor} asset={of.asset} /> → · ← <Money minor={of.under_way_in_minor} asset={of.asset} /></small> : null}
      {owed > 0 ? <Button type="primary" disabled={!of.our_reference} aria-label={t('positions.settle_with', { name: nameOf(of.institution), asset: of.asset })} onClick={settle}>{t('positions.settle')}</Button> : null}
    </div>
  );
}

function AccountForm({ who, close, done }: { who: Party; close: () => void; done: () => void }) {
  const { t } = useWords();
  const [iban, setIban] = useState('');
  const [reference, setReference] = useState('');
  const send = async () => {
    await tell('/v1/clearing/bank-account', { institution: who.id, iban: iban.trim(), reference: reference.trim() });
    done();
    close();
  };
  return (
    <Modal open title={t('positions.account_of', { name: nameOf(who) })} onCancel={close} footer={<><Button onClick={close}>{t('common.cancel')}</Button><Act type="primary" disabled={iban.trim().length < 5} act={send} done={t('positions.account_set')}>{t('common.save')}</Act></>}>
      <div className="op-stack">
        <p className="quiet">{t('positions.account_text')}</p>
        <label className="op-label">{t('positions.iban')}<Input autoComplete="off" spellCheck={false} value={iban} onChange={(event) => setIban(event.target.value)} /></label>
        <label className="op-label">{t('positions.their_reference')}<Input autoComplete="off" spellCheck={false} placeholder="RF…" value={reference} onChange={(event) => setReference(event.target.value)} /><small className="quiet">{t('positions.their_reference_text')}</small></label>
      </div>
    </Modal>
  );
}

function SettleForm({ of, close, done }: { of: Position; close: () => void; done: () => void }) {
  const { t, money } = useWords();
  const [minor, setMinor] = useState<number | null>(of.we_owe_minor);
  const beyond = minor !== null && minor > of.we_owe_minor;
  const send = async () => {
    await tell('/v1/clearing/propose_settlement', { institution: of.institution.id, asset: of.asset, amount_minor: minor });
    done();
    close();
  };
  return (
    <Modal open title={t('positions.settle_with', { name: nameOf(of.institution), asset: of.asset })} onCancel={close} footer={<><Button onClick={close}>{t('common.cancel')}</Button><Act type="primary" disabled={!minor || beyond} act={send} done={t('proposals.made')}>{t('proposals.propose')}</Act></>}>
      <div className="op-stack">
        <MoneyInput label={t('positions.amount')} asset={of.asset} value={minor} onChange={setMinor} problem={beyond ? t('codes.settlement_beyond_position') : undefined} hint={t('positions.owed', { money: money(of.we_owe_minor, of.asset) })} />
        <Facts items={[[t('positions.iban'), <code key="i">{of.iban ?? ''}</code>], [t('positions.their_reference'), of.their_reference ? <code key="r">{of.their_reference}</code> : t('common.none')]]} />
        <p className="quiet">{t('proposals.two')}</p>
      </div>
    </Modal>
  );
}

const TONES: Record<string, string> = { waiting: 'waiting', sent: 'approved', received: 'approved', rejected: 'closed' };

function Settlements({ of, again }: { of: ReturnType<typeof useList<Settlement>>; again: () => void }) {
  const { t, date } = useWords();
  const decide = (one: Settlement, how: 'approve' | 'reject') => async () => {
    await tell(`/v1/clearing/${how}_settlement`, { settlement: one.settlement });
    again();
  };
  if (of.data && !of.items.length) return <Card title={t('positions.settlements')}><p className="quiet">{t('positions.no_settlements')}</p></Card>;
  return (
    <Card title={t('positions.settlements')}>
      <List<Settlement>
        of={of}
        label={t('positions.settlements')}
        rowKey="settlement"
        columns={[
          { title: t('positions.with'), key: 'with', render: (_, row) => <strong>{nameOf(row.institution)}</strong> },
          { title: t('positions.amount'), key: 'amount', align: 'end', render: (_, row) => <Money minor={row.direction === 'out' ? -row.amount_minor : row.amount_minor} asset={row.asset} strong /> },
          { title: t('positions.state'), key: 'state', render: (_, row) => <span className="op-why"><span><StateTag state={row.back_minor ? 'rejected' : (TONES[row.state] ?? '')} words={t(`settlement_states.${row.state}`)} /></span>{row.bank_state ? <small>{t(`bank_states.${row.bank_state}`)}{row.back_minor ? <> · {t('positions.back')} <Money minor={row.back_minor} asset={row.asset} /></> : null}</small> : null}</span> },
          { title: t('proposals.maker'), key: 'maker', render: (_, row) => <Who party={row.maker} /> },
          { title: t('proposals.when'), key: 'when', render: (_, row) => date(row.made) },
          { title: t('proposals.checker'), key: 'act', render: (_, row) => (row.state !== 'waiting' ? <Who party={row.checker} /> : row.mine ? <span className="quiet">{t('proposals.mine')}</span> : <span className="op-acts"><Act size="small" type="primary" act={decide(row, 'approve')} done={t('positions.sent')}>{t('proposals.approve')}</Act><Act size="small" danger act={decide(row, 'reject')} done={t('proposals.rejected')}>{t('proposals.reject')}</Act></span>) },
        ]}
      />
    </Card>
  );
}
