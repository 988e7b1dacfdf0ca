import { useEffect, useState } from 'react';
import type { Party } from '../../shared/answers';
import { tell } from '../../shared/api';
import { type Spoken, useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';
import { go } from '../../shared/router';
import { say, sayProblem } from '../../shared/say';
import { useSession } from '../../shared/session';
import { useAsk } from '../../shared/useAsk';
import { PartyCard } from '../parts/PartyField';
import { type Slip, forgetCode, inFours, inShort, readSlip, recipientCode } from '../parts/terms';
import { Slices, type Stop, Track } from '../parts/Track';
import { Act, Amount, Choice, Field, Notice, Page, Sheet, Tag, Waiting, copy, nameOf } from '../ui';
import { type OrderLine, tone, wordsFor } from './Orders';

interface Step {
  at: string;
  step: string;
  party?: Party | null;
  detail: string;
  text?: string | null;
  seller_minor: number;
  buyer_minor: number;
}

interface Milestone {
  number: number;
  share_minor: number;
  label?: string | null;
  accepted: string;
}

export interface OrderSeen extends OrderLine {
  seller_minor: number;
  buyer_minor: number;
  silence: 'release' | 'refund';
  carrier?: Party | null;
  carrier_key?: string | null;
  code?: string | null;
  may: string[];
  milestones: Milestone[];
  timeline: Step[];
}

type Told = (verb: string, more?: object) => () => Promise<void>;

const EVIDENCE_MAX = 8;
const EXTEND_MS = 7 * 86_400_000;
const REASONS = ['not_received', 'not_as_described', 'damaged', 'unfinished', 'other'] as const;

export const isAccepted = (one: { accepted: string }): boolean => Boolean(one.accepted) && Date.parse(one.accepted) > 0;

/** The order's way as a track: paid in, sent, delivered if a carrier says so, and how it ended. */
export function stopsOf(order: OrderSeen, { t, date }: Pick<Spoken, 't' | 'date'>): Stop[] {
  const at = (...names: string[]) => order.timeline.find((step) => names.includes(step.step))?.at;
  const ended = order.state === 'settled' || order.state === 'refunded';
  const [sent, lost, came] = [at('shipped'), at('lost'), at('delivered')];
  const when = (time?: string) => (time ? date(time) : undefined);
  const stop = (key: string, time: string | undefined, before: boolean): Stop => ({ key, title: t(time ? `order_steps.${key}` : `orders.to_be_${key}`), text: when(time), state: time ? 'done' : before && !ended ? 'now' : 'later' });
  const stops = [stop('funded', at('funded'), true)];
  if (sent || !ended) stops.push(stop('shipped', sent, true));
  if (lost) stops.push({ key: 'lost', title: t('order_steps.lost'), text: when(lost), state: 'bad' });
  else if (order.carrier_key && (came || !ended)) stops.push(stop('delivered', came, sent !== undefined));
  if (order.state === 'disputed') stops.push({ key: 'disputed', title: t('order_steps.disputed'), text: t('orders.arbiter_hears'), state: 'now' });
  const last = order.timeline.at(-1);
  if (ended) stops.push({ key: 'end', title: t(`order_steps.${last?.step ?? 'released'}`), text: when(last?.at), state: order.state === 'settled' ? 'done' : 'bad' });
  else stops.push({ key: 'end', title: t('orders.paid_out'), state: 'later' });
  return stops;
}

export function OrderPage({ found }: { found: Record<string, string> }) {
  const spoken = useWords();
  const { t, date, money } = spoken;
  const { person } = useSession();
  const { data, ...rest } = useAsk<OrderSeen>('/v1/escrow/order', { order: found.id ?? '' }, { on: ['escrow.'], everyS: 20 });
  const [sheet, setSheet] = useState<'' | 'ship' | 'dispute' | 'answer' | 'extend' | 'deliver'>('');
  const unknown = rest.problem?.code === 'order_not_found';
  useEffect(() => { if (unknown) go(`/pool/${found.id}`, { replace: true }); }, [unknown]); // eslint-disable-line react-hooks/exhaustive-deps
  const over = data?.held_minor === 0 ? data.code : null;
  useEffect(() => forgetCode(over), [over]);
  if (!data) return <Page title={t('orders.one')} up="/orders"><Waiting {...rest} /></Page>;
  const selling = data.buyer.id !== person?.person.id;
  const may = new Set(data.may);
  const parted = data.milestones.length > 0;
  const tellIt: Told = (verb, more = {}) => async () => {
    await tell(`/v1/escrow/${verb}`, { order: data.order, ...more });
    setSheet('');
    say(t(`order_done.${verb}`), 'good');
    rest.again();
  };
  const confirm = parted ? t('orders.confirm_rest', { amount: money(data.held_minor, data.asset) }) : t('orders.confirm');
  const confirmFirst = may.has('confirm') && (data.state === 'shipped' || data.state === 'delivered');
  const deadline = data.state === 'funded' ? (data.seller_minor > 0 ? 'rest' : 'ship') : data.state === 'delivered' ? 'inspect' : data.silence;
  return (
    <Page title={data.note || t('orders.one')} up="/orders">
      <div className="moment">
        <p className="moment-amount plain-amount"><Amount minor={data.amount_minor} asset={data.asset} /></p>
        <Tag tone={tone(data.state)}>{wordsFor(t, 'order_states', data.state)}</Tag>
        {data.held_minor > 0 ? <p>{t('orders.held_safe')}</p> : null}
      </div>
      <PartyCard party={selling ? data.buyer : data.seller} />
      {data.held_minor > 0 && data.state !== 'disputed' ? <Notice icon="clock"><p>{t(`orders.deadline_${deadline}`, { at: date(data.deadline) })}</p></Notice> : null}
      <div className="stack">
        {confirmFirst ? <Act act={tellIt('confirm')}>{confirm}</Act> : null}
        {may.has('ship') ? <Act act={async () => setSheet('ship')}>{t('orders.ship')}</Act> : null}
        {may.has('answer') ? <Act act={async () => setSheet('answer')}>{t('orders.answer')}</Act> : null}
        {may.has('cancel') ? <Act fill="outline" act={tellIt('cancel')}>{t(selling ? 'orders.cancel_seller' : data.seller_minor > 0 ? 'orders.cancel_rest' : 'orders.cancel')}</Act> : null}
        {may.has('confirm') && !confirmFirst ? <button type="button" className="link" onClick={() => void tellIt('confirm')().catch(sayProblem)}>{confirm}</button> : null}
        {may.has('extend') ? <button type="button" className="link" onClick={() => setSheet('extend')}>{t('orders.extend')}</button> : null}
        {may.has('dispute') ? <button type="button" className="link" onClick={() => setSheet('dispute')}>{t('orders.dispute')}</button> : null}
      </div>
      <section className="card" aria-labelledby="way">
        <h2 id="way">{t('orders.way')}</h2>
        <Track label={t('orders.way')} stops={stopsOf(data, spoken)} />
      </section>
      {parted ? <Milestones data={data} accept={may.has('accept_milestone') ? tellIt : undefined} /> : null}
      <Division data={data} selling={selling} />
      {data.carrier_key ? <Carrier data={data} selling={selling} bring={may.has('deliver') ? () => setSheet('deliver') : undefined} /> : null}
      <History data={data} />
      <Sheet open={sheet === 'ship'} title={t('orders.ship')} onClose={() => setSheet('')}><ShipForm send={(tracking) => tellIt('ship', { tracking: tracking || null })()} /></Sheet>
      <Sheet open={sheet === 'answer'} title={t('orders.answer')} onClose={() => setSheet('')}><EvidenceForm button={t('orders.answer_send')} send={(evidence) => tellIt('answer', { evidence })()} /></Sheet>
      <Sheet open={sheet === 'extend'} title={t('orders.extend')} onClose={() => setSheet('')}><p className="quiet">{t('orders.extend_text')}</p><Act act={() => tellIt('extend', { until: new Date(Date.parse(data.deadline) + EXTEND_MS).toISOString() })()}>{t('orders.extend_week')}</Act></Sheet>
      <Sheet open={sheet === 'dispute'} title={t('orders.dispute')} onClose={() => setSheet('')}><DisputeForm send={(reason, evidence) => tellIt('dispute', { reason, evidence })()} /></Sheet>
      <Sheet open={sheet === 'deliver'} title={t('carrier.bring')} onClose={() => setSheet('')}><SlipForm send={(slip) => tellIt('deliver', slip)()} /></Sheet>
    </Page>
  );
}

/** The parts, one after another; each is paid when the buyer accepts it, and stays paid. */
function Milestones({ data, accept }: { data: OrderSeen; accept?: Told }) {
  const { t, date } = useWords();
  const next = data.milestones.find((one) => !isAccepted(one))?.number;
  const ended = data.held_minor === 0;
  return (
    <section className="card" aria-labelledby="parts">
      <h2 id="parts">{t('orders.milestones')}</h2>
      <Track
        label={t('orders.milestones')}
        stops={data.milestones.map((one) => ({
          key: one.number,
          title: one.label || t('orders.milestone', { number: one.number }),
          text: <><Amount minor={one.share_minor} asset={data.asset} />{isAccepted(one) ? ` · ${t('orders.paid_at', { at: date(one.accepted) })}` : ''}</>,
          state: isAccepted(one) ? 'done' : one.number === next && !ended ? 'now' : 'later',
          end: !isAccepted(one) && accept ? <Act block={false} size="small" fill={one.number === next ? 'solid' : 'outline'} aria-label={t('orders.accept_one', { name: one.label || t('orders.milestone', { number: one.number }) })} act={accept('accept_milestone', { number: one.number })}>{t('orders.accept')}</Act> : null,
        }))}
      />
      <p className="hint">{t('orders.milestones_text')}</p>
    </section>
  );
}

/** Who has how much, once anything was paid or given back; and what the arbiter said. */
function Division({ data, selling }: { data: OrderSeen; selling: boolean }) {
  const { t, money } = useWords();
  const decided = data.timeline.find((step) => step.step === 'decided');
  if (data.seller_minor + data.buyer_minor === 0) return null;
  return (
    <section className="card" aria-labelledby="division">
      <h2 id="division">{t('orders.division')}</h2>
      <Slices
        asset={data.asset}
        slices={[
          { name: t(selling ? 'orders.part_mine' : 'orders.part_seller'), minor: data.seller_minor, tone: 'moss' },
          { name: t('orders.part_held'), minor: data.held_minor, tone: 'straw' },
          { name: t(selling ? 'orders.part_buyer' : 'orders.part_back'), minor: data.buyer_minor, tone: 'clay' },
        ]}
      />
      {decided ? (
        <Notice icon="scale" title={t('orders.decided')}>
          <p>{t('orders.decided_text', { seller: money(decided.seller_minor, data.asset), buyer: money(decided.buyer_minor, data.asset) })}</p>
          {decided.text ? <p>“{decided.text}”</p> : null}
        </Notice>
      ) : null}
    </section>
  );
}

/** The carrier's part: whose signature counts, the code for the door, and what was signed. */
function Carrier({ data, selling, bring }: { data: OrderSeen; selling: boolean; bring?: () => void }) {
  const { t, date } = useWords();
  const [shown, setShown] = useState(false);
  const key = data.carrier_key ?? '';
  const word = data.timeline.find((step) => step.step === 'delivered' || step.step === 'lost');
  const code = selling || word ? null : recipientCode(data.code);
  const open = data.held_minor > 0;
  return (
    <section className="card" aria-labelledby="carrier">
      <h2 id="carrier">{t('carrier.name')}</h2>
      {data.carrier?.id ? <p>{nameOf(data.carrier, t('common.unknown_person'))}</p> : null}
      <p><span className="quiet">{t('carrier.key_short')}</span> <button type="button" className="link mono" title={t('common.copy')} onClick={() => void copy(key).then((done) => { if (done) say(t('common.copied'), 'good'); })}>{inShort(key)}</button></p>
      {word ? <Notice tone={word.step === 'delivered' ? 'good' : 'bad'} icon={word.step === 'delivered' ? 'check' : 'warn'} title={t(`carrier.${word.step}`, { at: date(word.at) })}><p>{t(`carrier.${word.step}_text`)}</p></Notice> : <p className="quiet">{t(data.state === 'funded' ? 'carrier.before' : 'carrier.under_way')}</p>}
      {!selling && !word && open && !code ? <p className="hint">{t('carrier.code_elsewhere')}</p> : null}
      {code && open ? <Act fill="outline" act={async () => setShown(true)}><Icon name="code" size={18} /> {t('carrier.code_show')}</Act> : null}
      {bring ? <button type="button" className="link" onClick={bring}>{t('carrier.bring')}</button> : null}
      <Sheet open={shown} title={t('carrier.code')} onClose={() => setShown(false)}>
        <p className="quiet">{t('carrier.code_text')}</p>
        {code && shown ? (
          <div className="my-code">
            <div className="qr-plate"><img src={`/v1/qr?text=${encodeURIComponent(`${data.order} ${code}`)}`} width="240" height="240" alt={t('carrier.code_qr')} /></div>
            <p className="mono parcel-code">{inFours(code)}</p>
            <button type="button" className="link" onClick={() => void copy(code).then((done) => { if (done) say(t('common.copied'), 'good'); })}>{t('common.copy')}</button>
          </div>
        ) : null}
      </Sheet>
    </section>
  );
}

function History({ data }: { data: OrderSeen }) {
  const { t, date, money } = useWords();
  const label = (number: string) => data.milestones.find((one) => String(one.number) === number)?.label;
  const more = (step: Step): string => {
    const reason = step.step === 'disputed' && step.detail ? `${wordsFor(t, 'dispute_reasons', step.detail)}: ` : '';
    if (step.text) return `${reason}“${step.text}”`;
    if (step.step === 'milestone') return label(step.detail) || t('orders.milestone', { number: step.detail });
    return step.detail ? wordsFor(t, step.step === 'disputed' ? 'dispute_reasons' : 'order_details', step.detail.replaceAll(' ', '_')) : '';
  };
  return (
    <section className="card" aria-labelledby="path">
      <h2 id="path">{t('orders.path')}</h2>
      <ol className="path">
        {data.timeline.map((step, index) => (
          <li key={index}>
            <h3>{wordsFor(t, 'order_steps', step.step)}</h3>
            <p>{date(step.at)}{step.party?.id ? ` · ${nameOf(step.party, t('common.unknown_person'))}` : ''}{step.seller_minor > 0 && step.step !== 'decided' ? ` · ${money(step.seller_minor, data.asset)}` : ''}</p>
            {more(step) ? <p>{more(step)}</p> : null}
          </li>
        ))}
      </ol>
    </section>
  );
}

// ── forms ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function ShipForm({ send }: { send: (tracking: string) => Promise<void> }) {
  const { t } = useWords();
  const [text, setText] = useState('');
  return (
    <form className="stack" onSubmit={(event) => event.preventDefault()}>
      <Field label={`${t('orders.tracking')} (${t('common.optional')})`} value={text} onChange={setText} maxLength={200} />
      <Act type="submit" act={() => send(text.trim())}>{t('orders.ship')}</Act>
    </form>
  );
}

/** One or more pieces of evidence, each in words of its own. */
function useEvidence() {
  const { t } = useWords();
  const [pieces, setPieces] = useState(['']);
  const evidence = pieces.map((piece) => piece.trim()).filter((piece) => piece.length >= 3);
  const fields = (
    <>
      {pieces.map((piece, index) => <Field key={index} label={index === 0 ? t('orders.evidence') : t('orders.evidence_more', { number: index + 1 })} value={piece} onChange={(text) => setPieces((now) => now.map((one, at) => (at === index ? text : one)))} rows={index === 0 ? 4 : 2} maxLength={1000} hint={index === 0 ? t('orders.evidence_text') : undefined} />)}
      {pieces.length < EVIDENCE_MAX ? <button type="button" className="link" onClick={() => setPieces((now) => [...now, ''])}>{t('orders.evidence_add')}</button> : null}
    </>
  );
  return { evidence, fields };
}

function EvidenceForm({ button, send }: { button: string; send: (evidence: string[]) => Promise<void> }) {
  const { evidence, fields } = useEvidence();
  return (
    <form className="stack" onSubmit={(event) => event.preventDefault()}>
      {fields}
      <Act type="submit" disabled={evidence.length === 0} act={() => send(evidence)}>{button}</Act>
    </form>
  );
}

function DisputeForm({ send }: { send: (reason: string, evidence: string[]) => Promise<void> }) {
  const { t } = useWords();
  const [reason, setReason] = useState<(typeof REASONS)[number] | ''>('');
  const { evidence, fields } = useEvidence();
  return (
    <form className="stack" onSubmit={(event) => event.preventDefault()}>
      <p className="quiet">{t('orders.dispute_text')}</p>
      <Choice label={t('orders.dispute_why')} value={reason} onChange={setReason} options={REASONS.map((one) => [one, t(`dispute_reasons.${one}`)] as const)} />
      {fields}
      <Act type="submit" disabled={reason === '' || evidence.length === 0} act={() => send(reason, evidence)}>{t('orders.dispute')}</Act>
    </form>
  );
}

/** What the carrier handed out, brought by whoever has it: the ledger checks key and code. */
function SlipForm({ send }: { send: (slip: Slip) => Promise<void> }) {
  const { t } = useWords();
  const [text, setText] = useState('');
  const slip = readSlip(text);
  const wrong = text.trim().length > 20 && !slip;
  return (
    <form className="stack" onSubmit={(event) => event.preventDefault()}>
      <p className="quiet">{t('carrier.bring_text')}</p>
      <Field label={t('carrier.slip')} value={text} onChange={setText} rows={5} maxLength={1000} hint={t('carrier.slip_hint')} problem={wrong ? t('carrier.slip_wrong') : undefined} />
      <Act type="submit" disabled={!slip} act={async () => { if (slip) await send(slip); }}>{t('carrier.slip_send')}</Act>
    </form>
  );
}
