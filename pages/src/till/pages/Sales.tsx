import { useEffect, useState } from 'react';
import { type Page as PageOf, ask, newKey, tell } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';
import { MoneyInput } from '../../shared/MoneyInput';
import { say, sayProblem } from '../../shared/say';
import { MAY, type Sale, type SaleCard } from '../answers';
import { useShop } from '../here';
import { Act, Amount, Choice, Empty, Notice, Page, Pick, Row, Rows, Sheet, Waiting } from '../kit';
import { usePlace } from '../place';
import { useLive } from '../useLive';
import { SaleRow } from './Sell';

/** Sales, newest first, as they happen. */
export function Sales() {
  const { t, date } = useWords();
  const { shop, till } = usePlace();
  const { role } = useShop();
  const [which, setWhich] = useState<'till' | 'all'>(till ? 'till' : 'all');
  const params = { shop, till: which === 'till' ? till : undefined, limit: 30 };
  const { data, problem, loading, again } = useLive<PageOf<Sale>>('/v1/shop/sales', params);
  const [more, setMore] = useState<{ items: Sale[]; next: string }>();
  useEffect(() => setMore(undefined), [which, data]);
  const load = async () => {
    try {
      const page = await ask<PageOf<Sale>>('/v1/shop/sales', { ...params, after: more?.next ?? data?.next });
      setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next });
    } catch (error) {
      sayProblem(error);
    }
  };
  const items = [...(data?.items ?? []), ...(more?.items ?? [])];
  const next = more ? more.next : data?.next;
  const days = new Map<string, Sale[]>();
  for (const sale of items) {
    const name = date(sale.at, { weekday: 'long', day: 'numeric', month: 'long' });
    days.set(name, [...(days.get(name) ?? []), sale]);
  }
  return (
    <Page title={t('sales.title')} top side={MAY.manage(role) ? <Export shop={shop} /> : null}>
      {till ? <Choice label={t('sales.which')} value={which} onChange={setWhich} options={[['till', t('sales.this_till')], ['all', t('sales.all_tills')]]} /> : null}
      {data ? null : <Waiting loading={loading} problem={problem} again={again} />}
      {data && items.length === 0 ? <Empty icon="receipt" title={t('sales.none')} text={t('sales.none_text')} /> : null}
      {[...days].map(([day, of]) => <Rows key={day} title={day}>{of.map((sale) => <SaleRow key={sale.payment} sale={sale} />)}</Rows>)}
      {next ? <button type="button" className="link" onClick={() => void load()}>{t('common.more')}</button> : null}
    </Page>
  );
}

interface Line {
  kind: string;
  id: string;
  payment: string;
  asset: string;
  amount_minor: number;
  tip_minor: number;
  fee_minor: number;
  net_minor: number;
  number: string;
  at: string;
}

/** All sales and refunds of the last 31 days as a file that adds up. */
function Export({ shop }: { shop: string }) {
  const { t } = useWords();
  const make = async () => {
    const names = ['at', 'kind', 'id', 'payment', 'number', 'asset', 'amount_minor', 'tip_minor', 'fee_minor', 'net_minor'] as const;
    const lines = [names.join(',')];
    const since = new Date(Date.now() - 31 * 86_400_000).toISOString();
    let after = '';
    do {
      const page = await ask<PageOf<Line>>('/v1/shop/export', { shop, since, after, limit: 1000 });
      for (const one of page.items) lines.push(names.map((name) => (name === 'number' ? `"${one.number.replaceAll('"', '""')}"` : String(one[name]))).join(','));
      after = page.next;
    } while (after);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([`${lines.join('\r\n')}\r\n`], { type: 'text/csv' }));
    link.download = `sales-${new Date().toISOString().slice(0, 10)}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  return <button type="button" className="round-button" aria-label={t('sales.export')} title={t('sales.export')} onClick={() => { make().catch(sayProblem); }}><Icon name="download" size={22} /></button>;
}

const REASONS = ['returned', 'damaged', 'mistake', 'duplicate', 'goodwill', 'other'] as const;

/** One sale: what came, what it cost, and giving it back, in part and more than once. */
export function SalePage({ found }: { found: Record<string, string> }) {
  const { t, date, money } = useWords();
  const { role, tills } = useShop();
  const id = found.id ?? '';
  const { data, problem, loading, again } = useLive<SaleCard>('/v1/shop/sale', { payment: id });
  const [giving, setGiving] = useState(false);
  const [minor, setMinor] = useState<number | null>(null);
  const [reason, setReason] = useState<(typeof REASONS)[number]>('returned');
  const [key, setKey] = useState(newKey);
  if (!data) return <Page title={t('sales.sale')} up="/sales"><Waiting loading={loading} problem={problem} again={again} /></Page>;
  const { sale } = data;
  const whole = sale.amount_minor + sale.tip_minor;
  const open = () => { setMinor(data.left_minor); setKey(newKey()); setGiving(true); };
  const give = async () => {
    await tell('/v1/shop/refund', { payment: id, amount_minor: minor, reason }, { key });
    setGiving(false);
    say(t('refund.done', { money: money(minor ?? 0, sale.asset) }), 'good');
    again();
  };
  const facts: [string, string][] = [
    [t('sales.at'), date(sale.at)],
    [t('sales.till'), tills.find((one) => one.till === sale.till)?.label ?? t('common.none')],
    ...(sale.number ? [[t('sell.number'), sale.number] as [string, string]] : []),
    [t('sales.amount'), money(sale.amount_minor, sale.asset)],
    ...(sale.tip_minor ? [[t('sales.tip'), money(sale.tip_minor, sale.asset)] as [string, string]] : []),
    [t('sales.fee'), money(-sale.fee_minor + sale.fee_back_minor, sale.asset)],
    ...(sale.refunded_minor ? [[t('sales.given_back'), money(-sale.refunded_minor, sale.asset)] as [string, string]] : []),
    [t('sales.net'), money(whole - sale.fee_minor + sale.fee_back_minor - sale.refunded_minor, sale.asset)],
  ];
  return (
    <Page title={t('sales.sale')} up="/sales">
      <section className="sale-hero" data-state={sale.state}>
        <p className="moment-amount"><Amount minor={whole} asset={sale.asset} /></p>
        <p>{t(`sale_states.${sale.state}`)}</p>
        {whole > 0 ? (
          <div className="sale-bar" role="img" aria-label={t('sales.left', { money: money(data.left_minor, sale.asset) })}><span style={{ width: `${(100 * data.left_minor) / whole}%` }} /></div>
        ) : null}
        {sale.refunded_minor ? <small>{t('sales.left', { money: money(data.left_minor, sale.asset) })}</small> : null}
      </section>
      {sale.state === 'held' ? <Notice tone="warn" icon="clock" title={t('done.held')}><p>{t('done.held_text')}</p></Notice> : null}
      <dl className="facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      {data.refunds.length ? (
        <Rows title={t('refund.list')}>
          {data.refunds.map((one) => <Row key={one.refund} icon="repeat" title={t(`refund_reasons.${one.reason}`)} text={date(one.at)} end={<span className="row-money"><Amount minor={-one.amount_minor} asset={sale.asset} /></span>} />)}
        </Rows>
      ) : null}
      {sale.state === 'paid' && data.left_minor > 0 ? MAY.refund(role) ? <Act color="danger" fill="outline" act={async () => open()}>{t('refund.give')}</Act> : <Notice icon="lock"><p>{t('refund.managers')}</p></Notice> : null}
      <p className="quiet mono">{id}</p>
      <Sheet open={giving} title={t('refund.give')} onClose={() => setGiving(false)}>
        <MoneyInput label={t('refund.amount')} asset={sale.asset} value={minor} onChange={setMinor} hint={t('refund.most', { money: money(data.left_minor, sale.asset) })} problem={minor !== null && minor > data.left_minor ? t('refund.most', { money: money(data.left_minor, sale.asset) }) : undefined} />
        <Pick label={t('refund.why')} value={reason} onChange={(value) => setReason(value as typeof reason)} options={REASONS.map((one) => [one, t(`refund_reasons.${one}`)] as const)} />
        <Act color="danger" disabled={!minor || minor > data.left_minor} act={give}>{minor ? t('refund.now', { money: money(minor, sale.asset) }) : t('refund.give')}</Act>
      </Sheet>
    </Page>
  );
}
