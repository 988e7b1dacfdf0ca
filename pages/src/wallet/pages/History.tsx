import { Fragment, useState } from 'react';
import type { Activity, Party } from '../../shared/answers';
import { type Page as Listed, ask, askFile, tell } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { href } from '../../shared/router';
import { say } from '../../shared/say';
import { useAsk } from '../../shared/useAsk';
import { Icon } from '../../shared/icons';
import { isId } from '../parts/elsewhere';
import { CallOff, stopsIn, stopsOut, useTransfer } from '../parts/Crossing';
import { HeldActs, Reasons } from '../parts/Outcome';
import { Track } from '../parts/Track';
import { Movement, stateTone } from '../parts/movements';
import { PartyCard } from '../parts/PartyField';
import { inShort } from '../parts/terms';
import { usePurses } from '../parts/usePurses';
import { Act, Amount, Choice, Empty, Field, Notice, Page, Rows, Sheet, Tag, Waiting, copy, nameOf, useNow } from '../ui';

export interface Hold {
  payment: string;
  case: string;
  reasons: { name: string; words: string }[];
  until?: string | null;
  amount_minor: number;
  asset: string;
  other: Party;
  direction: 'in' | 'out';
  state: string;
  recallable: boolean;
  appealed: boolean;
}

export function ActivityPage() {
  const { t, date } = useWords();
  const { assets } = usePurses();
  const [asset, setAsset] = useState('');
  const { data, ...rest } = useAsk<Listed<Activity>>('/v1/pay/activity', { asset, limit: 50 }, { on: ['pay.', 'bank.', 'shop.', 'escrow.', 'guard.', 'clearing.'] });
  const [older, setOlder] = useState<{ of: string; items: Activity[]; next: string }>();
  const more = older?.of === asset ? older : { of: asset, items: [], next: data?.next ?? '' };
  const items = [...(data?.items ?? []), ...more.items];
  const months = new Map<string, Activity[]>();
  for (const item of items) {
    const month = date(item.at, { month: 'long', year: 'numeric' });
    months.set(month, [...(months.get(month) ?? []), item]);
  }
  const read = async () => {
    const page = await ask<Listed<Activity>>('/v1/pay/activity', { asset, limit: 50, after: more.next });
    setOlder({ of: asset, items: [...more.items, ...page.items], next: page.next });
  };
  return (
    <Page title={t('tabs.activity')} top side={<a className="link" href={href('/statement')}>{t('actions.statement')}</a>}>
      {assets.length > 1 ? <Choice label={t('money.currency')} value={asset} onChange={setAsset} options={[['', t('common.all')], ...assets.map((one) => [one, one] as const)]} /> : null}
      <Waiting {...rest} loading={rest.loading && !data} />
      {data && items.length === 0 ? <Empty icon="activity" title={t('activity.none')} text={t('activity.none_text')} /> : null}
      {[...months].map(([month, list]) => <Fragment key={month}><Rows title={month}>{list.map((item) => <Movement key={item.payment + item.direction} item={item} />)}</Rows></Fragment>)}
      {more.next ? <Act fill="outline" act={read}>{t('common.more')}</Act> : null}
    </Page>
  );
}

export function PaymentPage({ found }: { found: Record<string, string> }) {
  const { t, date } = useWords();
  const id = found.id ?? '';
  const { data, ...rest } = useAsk<Activity>('/v1/pay/payment', { payment: id }, { on: ['pay.', 'guard.', 'shop.', 'escrow.', 'clearing.'] });
  const holds = useAsk<Hold>(data?.state === 'held' && data.kind !== 'escrow' ? '/v1/guard/hold' : null, { payment: id }, { on: ['guard.'] });
  const hold = holds.data;
  const [proof, setProof] = useState(false);
  const [reporting, setReporting] = useState(false);
  const [text, setText] = useState('');
  if (!data) return <Page title={t('payment.title')} up="/activity"><Waiting {...rest} /></Page>;
  const out = data.direction === 'out';
  const between = data.kind.startsWith('escrow');
  const held = data.state === 'held' && !between;
  const again = () => { rest.again(); holds.again(); };
  const receipt = async () => {
    const file = await askFile(`/v1/receipts/${id}`);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(file);
    link.download = `receipt-${id.slice(-8)}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  return (
    <Page title={t(`kinds.${data.kind}`)} up="/activity">
      <div className="moment">
        <p className="moment-amount plain-amount"><Amount minor={out ? -data.amount_minor : data.amount_minor} asset={data.asset} sign /></p>
        <Tag tone={data.state === 'paid' ? 'good' : stateTone(data.state)}>{t(between && data.state === 'held' ? 'states.between' : `states.${data.state}`)}</Tag>
      </div>
      {data.other?.id ? <PartyCard party={data.other} /> : null}
      {between ? <a className="button" href={href(wayToEscrow(data))}>{t(wayToEscrow(data).startsWith('/pool/') ? 'pools.show' : 'orders.show')}</a> : null}
      {data.kind === 'clearing_out' || data.kind === 'clearing_in' ? <Across data={data} /> : null}
      {held ? <Held hold={hold} out={out} id={id} again={again} /> : null}
      <dl className="facts">
        <div><dt>{t('payment.at')}</dt><dd>{date(data.at, { dateStyle: 'long', timeStyle: 'medium' })}</dd></div>
        {data.note ? <div><dt>{t('send.note')}</dt><dd>{data.note}</dd></div> : null}
        {data.purpose ? <div><dt>{t('send.purpose_short')}</dt><dd>{t(`purposes.${data.purpose}`)}</dd></div> : null}
        <div><dt>{t('payment.number')}</dt><dd><button type="button" className="link mono" title={t('common.copy')} onClick={() => void copy(id).then((done) => { if (done) say(t('common.copied'), 'good'); })}>{id.slice(0, 8)}…{id.slice(-8)}</button></dd></div>
      </dl>
      <div className="stack">
        {!held ? <Act fill="outline" act={receipt}><Icon name="download" size={18} /> {t('payment.receipt')}</Act> : null}
        {!held ? <button type="button" className="link" onClick={() => setProof(true)}>{t('payment.proof')}</button> : null}
        {out && data.state === 'paid' && data.other?.id && data.other.kind !== 'institution' ? <a className="link" href={href(`/send/${data.other.id}`)}>{t('payment.again')}</a> : null}
        {data.state === 'paid' && data.other?.kind === 'person' ? <button type="button" className="link" onClick={() => setReporting(true)}>{t('payment.report')}</button> : null}
      </div>
      <Sheet open={proof} title={t('payment.proof')} onClose={() => setProof(false)}>
        <p className="quiet">{t('payment.proof_text')}</p>
        <div className="qr-plate"><img src={`/v1/receipts/${id}?form=qr`} alt={t('payment.proof_qr')} width="280" height="280" /></div>
        <a className="link" href="/explorer">{t('payment.verify')}</a>
      </Sheet>
      <Sheet open={reporting} title={t('payment.report')} onClose={() => setReporting(false)}>
        <p className="quiet">{t('payment.report_text')}</p>
        <Field label={t('payment.report_label')} value={text} onChange={setText} rows={4} maxLength={1000} />
        <Act color="danger" act={async () => { await tell('/v1/guard/report', { payment: id, text: text.trim() || null }); setReporting(false); say(t('payment.reported'), 'good'); }}>{t('payment.report_send')}</Act>
      </Sheet>
    </Page>
  );
}

/** Where the money of a safe order or a group buy waits: of a group buy each member has a payment, and its maker is paid by many. */
export function wayToEscrow({ payment, kind, reference, other }: Pick<Activity, 'payment' | 'kind' | 'reference'> & { other?: Party | null }): string {
  const shared = kind === 'escrow' ? reference !== payment : kind === 'escrow_out' && !other?.id;
  return reference && shared ? `/pool/${reference}` : `/order/${reference ?? payment}`;
}

/** A payment between two institutions: to whom, and how far it has come. */
function Across({ data }: { data: Activity }) {
  const spoken = useWords();
  const { t } = spoken;
  const out = data.kind === 'clearing_out';
  const { transfer, again } = useTransfer(data.payment, out ? 'out' : 'in');
  if (!transfer) return null;
  const name = nameOf(transfer.institution, t('party.kind_institution'));
  return (
    <section className="card" aria-labelledby="across">
      <h2 id="across">{t('cross.way')}</h2>
      {transfer.to ? <p>{t('cross.to', { name: isId(transfer.to) ? inShort(transfer.to) : transfer.to, at: name })}</p> : null}
      <Track label={t('cross.way')} stops={out ? stopsOut(transfer, name, spoken) : stopsIn(transfer, name, spoken)} />
      {out ? <CallOff transfer={transfer} again={again} /> : null}
      {transfer.state === 'captured' && transfer.to ? <a className="link" href={href(`/send/${transfer.to}?at=${transfer.institution.id}`)}>{t('payment.again')}</a> : null}
    </section>
  );
}

function Held({ hold, out, id, again }: { hold?: Hold; out: boolean; id: string; again: () => void }) {
  const { t, date } = useWords();
  const now = useNow(30_000);
  const hours = hold?.until ? Math.max(0, Math.ceil((Date.parse(hold.until) - now) / 3_600_000)) : 0;
  return (
    <>
      <Notice tone="warn" icon="clock" title={t(out ? 'held.title' : 'held.title_in')}>
        <p>{hold?.until ? t('held.until', { at: date(hold.until), count: hours }) : t('held.text')}</p>
      </Notice>
      <HeldActs payment={id} caseId={hold?.appealed ? undefined : hold?.case} payer={out} onDone={again} />
      {hold ? <div className="card"><Reasons reasons={hold.reasons.map((reason) => reason.name)} />{out ? <p className="quiet">{t('held.certain')}</p> : null}</div> : null}
    </>
  );
}
