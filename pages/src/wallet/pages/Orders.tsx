import { useState } from 'react';
import type { Party } from '../../shared/answers';
import { type Page as Listed, tell } from '../../shared/api';
import { hasWords, useWords } from '../../shared/i18n';
import { MoneyInput } from '../../shared/MoneyInput';
import { go, href } from '../../shared/router';
import { say, sayProblem } from '../../shared/say';
import { useSession } from '../../shared/session';
import { useAsk } from '../../shared/useAsk';
import { PartyCard, PartyField, findParty } from '../parts/PartyField';
import { usePurses } from '../parts/usePurses';
import { Act, Amount, Avatar, Choice, Empty, Field, Notice, Page, Row, Rows, Sheet, Tag, Waiting, nameOf } from '../ui';
import { inDays } from './Together';

interface Line {
  order: string;
  buyer: Party;
  seller: Party;
  asset: string;
  amount_minor: number;
  held_minor: number;
  state: string;
  at: string;
  deadline: string;
  note?: string | null;
}

interface Seen extends Line {
  seller_minor: number;
  buyer_minor: number;
  silence: 'release' | 'refund';
  may: string[];
  milestones: { number: number; share_minor: number; label?: string | null; accepted: string }[];
  timeline: { at: string; step: string; party?: Party | null; detail: string; text?: string | null }[];
}

const tone = (state: string) => (state === 'disputed' || state === 'lost' ? 'bad' : ['released', 'confirmed', 'settled', 'delivered'].includes(state) ? 'good' : state === 'refunded' || state === 'cancelled' ? 'plain' : 'warn');
const words = (t: (key: string) => string, group: string, name: string) => (hasWords(`${group}.${name}`) ? t(`${group}.${name}`) : name.replaceAll('_', ' '));

/** Safe orders: the money waits until the goods are here. */
export function Orders() {
  const { t, moment } = useWords();
  const [role, setRole] = useState<'buyer' | 'seller'>('buyer');
  const { data, ...rest } = useAsk<Listed<Line>>('/v1/escrow/orders', { role, limit: 50 }, { on: ['escrow.'] });
  return (
    <Page title={t('tabs.orders')} top side={<a className="link" href={href('/buy')}>{t('orders.new')}</a>}>
      <Choice label={t('orders.whose')} value={role} onChange={setRole} options={[['buyer', t('orders.buyer')], ['seller', t('orders.seller')]]} />
      <Waiting {...rest} loading={rest.loading && !data} />
      {data && data.items.length === 0 ? <Empty icon="box" title={t('orders.none')} text={t('orders.none_text')}>{role === 'buyer' ? <a className="button" href={href('/buy')}>{t('orders.new')}</a> : null}</Empty> : null}
      {data && data.items.length > 0 ? (
        <Rows>
          {data.items.map((order) => {
            const other = role === 'buyer' ? order.seller : order.buyer;
            return <Row key={order.order} to={`/order/${order.order}`} lead={<Avatar party={other} />} title={order.note || nameOf(other, t('common.unknown_person'))} text={`${nameOf(other, t('common.unknown_person'))} · ${moment(order.at)}`} end={<span className="row-money"><Amount minor={order.amount_minor} asset={order.asset} /><Tag tone={tone(order.state)}>{words(t, 'order_states', order.state)}</Tag></span>} />;
          })}
        </Rows>
      ) : null}
    </Page>
  );
}

export function Buy({ found }: { found: Record<string, string> }) {
  const { t, money } = useWords();
  const { asset, assets, choose, purse } = usePurses();
  const [party, setParty] = useState<Party>();
  const [minor, setMinor] = useState<number | null>(null);
  const [note, setNote] = useState('');
  const [days, setDays] = useState('7');
  const [silence, setSilence] = useState<'release' | 'refund'>('refund');
  if (found.to && !party) void findParty(found.to).then(setParty).catch(() => go('/buy', { replace: true }));
  const tooMuch = minor !== null && purse !== undefined && minor > purse.available_minor;
  const buy = async () => {
    const made = await tell<{ order: string }>('/v1/escrow/buy', {
      seller: party?.id, asset, amount_minor: minor, ship_by: inDays(Number(days)), silence, silence_s: 14 * 86_400, inspect_s: 3 * 86_400,
      carrier: null, carrier_key: null, code: null, milestones: [], note: note.trim() || null,
    });
    go(`/order/${made.order}`, { replace: true });
  };
  return (
    <Page title={t('buy.title')}>
      <Notice tone="good" icon="shieldOk" title={t('buy.how')}><p>{t('buy.how_text')}</p></Notice>
      {party ? (
        <form className="stack" onSubmit={(event) => event.preventDefault()}>
          <PartyCard party={party} onChange={() => setParty(undefined)} />
          <Field label={t('buy.what')} value={note} onChange={setNote} maxLength={200} />
          <MoneyInput label={t('buy.price')} asset={asset} assets={assets} onAsset={choose} value={minor} onChange={setMinor} problem={tooMuch ? t('codes.exceeds_funds') : undefined} />
          <Choice label={t('buy.ship_by')} value={days} onChange={setDays} options={['3', '7', '14', '30'].map((one) => [one, t('buy.days', { count: Number(one) })] as const)} />
          <Choice label={t('buy.silence')} value={silence} onChange={setSilence} options={[['refund', t('buy.refund')], ['release', t('buy.release')]]} />
          <Act type="submit" disabled={!minor || tooMuch || !note.trim()} act={buy}>{minor ? t('buy.fund', { amount: money(minor, asset) }) : t('buy.title')}</Act>
          <p className="hint">{t('buy.cancel_text')}</p>
        </form>
      ) : (
        <PartyField label={t('buy.who')} onFound={setParty} />
      )}
    </Page>
  );
}

const REASONS = ['not_received', 'not_as_described', 'damaged', 'unfinished', 'other'] as const;

export function OrderPage({ found }: { found: Record<string, string> }) {
  const { t, date } = useWords();
  const { person } = useSession();
  const { data, ...rest } = useAsk<Seen>('/v1/escrow/order', { order: found.id ?? '' }, { on: ['escrow.'] });
  const [sheet, setSheet] = useState<'' | 'ship' | 'dispute' | 'answer' | 'extend'>('');
  if (!data) return <Page title={t('orders.one')} up="/orders"><Waiting {...rest} /></Page>;
  const order = data.order;
  const seller = data.seller.id === person?.person.id;
  const may = new Set(data.may);
  const tellIt = (verb: string, more: object = {}) => async () => {
    await tell(`/v1/escrow/${verb}`, { order, ...more });
    setSheet('');
    say(t(`order_done.${verb}`), 'good');
    rest.again();
  };
  return (
    <Page title={data.note || t('orders.one')} up="/orders">
      <div className="moment">
        <p className="moment-amount plain-amount"><Amount minor={data.amount_minor} asset={data.asset} /></p>
        <Tag tone={tone(data.state)}>{words(t, 'order_states', data.state)}</Tag>
        {data.held_minor > 0 ? <p>{t('orders.held_safe')}</p> : null}
      </div>
      <PartyCard party={seller ? data.buyer : data.seller} />
      {data.held_minor > 0 && data.state !== 'disputed' ? <Notice icon="clock"><p>{t(`orders.deadline_${data.state === 'funded' ? 'ship' : data.silence}`, { at: date(data.deadline) })}</p></Notice> : null}
      <div className="stack">
        {may.has('confirm') && (data.state === 'shipped' || data.state === 'delivered') ? <Act act={tellIt('confirm')}>{t('orders.confirm')}</Act> : null}
        {may.has('ship') ? <Act act={async () => setSheet('ship')}>{t('orders.ship')}</Act> : null}
        {may.has('answer') ? <Act act={async () => setSheet('answer')}>{t('orders.answer')}</Act> : null}
        {may.has('cancel') ? <Act fill="outline" act={tellIt('cancel')}>{t(seller ? 'orders.cancel_seller' : 'orders.cancel')}</Act> : null}
        {may.has('confirm') && (data.state === 'funded' || data.state === 'disputed') ? <button type="button" className="link" onClick={() => void tellIt('confirm')().catch(sayProblem)}>{t('orders.confirm')}</button> : null}
        {may.has('extend') ? <button type="button" className="link" onClick={() => setSheet('extend')}>{t('orders.extend')}</button> : null}
        {may.has('dispute') ? <button type="button" className="link" onClick={() => setSheet('dispute')}>{t('orders.dispute')}</button> : null}
      </div>
      {data.milestones.length > 0 ? (
        <Rows title={t('orders.milestones')}>
          {data.milestones.map((one) => {
            const accepted = Boolean(one.accepted) && Date.parse(one.accepted) > 0;
            return <Row key={one.number} icon={accepted ? 'check' : 'clock'} title={one.label || t('orders.milestone', { number: one.number })} text={<Amount minor={one.share_minor} asset={data.asset} />} end={!accepted && may.has('accept_milestone') ? <Act block={false} size="small" act={tellIt('accept_milestone', { number: one.number })}>{t('orders.accept')}</Act> : null} />;
          })}
        </Rows>
      ) : null}
      <section className="card" aria-labelledby="path">
        <h2 id="path">{t('orders.path')}</h2>
        <ol className="path">
          {data.timeline.map((step, index) => (
            <li key={index}><h3>{words(t, 'order_steps', step.step)}</h3><p>{date(step.at)}{step.party?.id ? ` · ${nameOf(step.party, t('common.unknown_person'))}` : ''}</p>{step.text ? <p>“{step.text}”</p> : step.detail ? <p>{words(t, 'dispute_reasons', step.detail)}</p> : null}</li>
          ))}
        </ol>
      </section>
      <Sheet open={sheet === 'ship'} title={t('orders.ship')} onClose={() => setSheet('')}><Told label={`${t('orders.tracking')} (${t('common.optional')})`} button={t('orders.ship')} send={(text) => tellIt('ship', { tracking: text || null })()} /></Sheet>
      <Sheet open={sheet === 'answer'} title={t('orders.answer')} onClose={() => setSheet('')}><Told needed label={t('orders.evidence')} button={t('orders.answer')} send={(text) => tellIt('answer', { evidence: [text] })()} /></Sheet>
      <Sheet open={sheet === 'extend'} title={t('orders.extend')} onClose={() => setSheet('')}><p className="quiet">{t('orders.extend_text')}</p><Act act={() => tellIt('extend', { until: new Date(Date.parse(data.deadline) + 7 * 86_400_000).toISOString() })()}>{t('orders.extend_week')}</Act></Sheet>
      <Sheet open={sheet === 'dispute'} title={t('orders.dispute')} onClose={() => setSheet('')}><DisputeForm send={(reason, text) => tellIt('dispute', { reason, evidence: text ? [text] : [] })()} /></Sheet>
    </Page>
  );
}

function Told({ label, button, send, needed = false }: { label: string; button: string; send: (text: string) => Promise<void>; needed?: boolean }) {
  const [text, setText] = useState('');
  return (
    <form className="stack" onSubmit={(event) => event.preventDefault()}>
      <Field label={label} value={text} onChange={setText} rows={needed ? 4 : undefined} maxLength={1000} />
      <Act type="submit" disabled={needed && text.trim().length < 3} act={() => send(text.trim())}>{button}</Act>
    </form>
  );
}

function DisputeForm({ send }: { send: (reason: string, text: string) => Promise<void> }) {
  const { t } = useWords();
  const [reason, setReason] = useState<(typeof REASONS)[number] | ''>('');
  const [text, setText] = useState('');
  return (
    <form className="stack" onSubmit={(event) => event.preventDefault()}>
      <p className="quiet">{t('orders.dispute_text')}</p>
      <Choice label={t('orders.dispute_why')} value={reason} onChange={setReason} options={REASONS.map((one) => [one, t(`dispute_reasons.${one}`)] as const)} />
      <Field label={t('orders.evidence')} value={text} onChange={setText} rows={4} maxLength={1000} />
      <Act type="submit" disabled={reason === ''} act={() => send(reason, text.trim())}>{t('orders.dispute')}</Act>
    </form>
  );
}
