import { useState } from 'react';
import { type Page as PageOf, tell } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';
import { go } from '../../shared/router';
import { dayNumber } from '../amount';
import type { Report, Total } from '../answers';
import { useShop } from '../here';
import { Act, Amount, Choice, Empty, Page, Row, Rows, Sheet, Waiting } from '../kit';
import { usePlace } from '../place';
import { useLive } from '../useLive';

/** A business day as it is now, closing it, and the reports that were closed. */
export function Day() {
  const { t, date } = useWords();
  const { shop, till } = usePlace();
  const [which, setWhich] = useState<'till' | 'all'>('all');
  const [day, setDay] = useState(() => new Date().toISOString().slice(0, 10));
  const [closing, setClosing] = useState(false);
  const today = day === new Date().toISOString().slice(0, 10);
  const of = which === 'till' ? till : undefined;
  const { data, problem, loading, again } = useLive<Report>('/v1/shop/report', { shop, till: of, day: today ? undefined : dayNumber(new Date(`${day}T00:00:00Z`)) });
  const reports = useLive<PageOf<Report>>('/v1/shop/reports', { shop, limit: 12 });
  const close = async () => {
    const made = await tell<{ number: number }>('/v1/shop/close_day', { shop, till: of ?? null });
    setClosing(false);
    go(`/report/${made.number}`);
  };
  return (
    <Page title={t('day.title')} top side={<input className="day-input" type="date" aria-label={t('day.date')} value={day} max={new Date().toISOString().slice(0, 10)} onChange={(event) => { if (event.target.value) setDay(event.target.value); }} />}>
      {till ? <Choice label={t('sales.which')} value={which} onChange={setWhich} options={[['all', t('sales.all_tills')], ['till', t('sales.this_till')]]} /> : null}
      {data ? data.totals.length ? data.totals.map((one) => <TotalCard key={one.asset} total={one} />) : <Empty icon="chart" title={t('day.nothing')} text={t('day.nothing_text')} /> : <Waiting loading={loading} problem={problem} again={again} />}
      {today ? <Act act={async () => setClosing(true)}>{t('day.close')}</Act> : null}
      {reports.data?.items.length ? (
        <Rows title={t('day.reports')}>
          {reports.data.items.map((one) => (
            <Row key={one.number} to={`/report/${one.number}`} icon="receipt" title={t('day.report', { number: one.number })} text={date(one.to)} end={<span className="row-money">{one.totals.map((total) => <Amount key={total.asset} minor={total.net_minor} asset={total.asset} />)}</span>} />
          ))}
        </Rows>
      ) : null}
      <Sheet open={closing} title={t('day.close')} onClose={() => setClosing(false)}>
        <p className="quiet">{t(which === 'till' ? 'day.close_till_text' : 'day.close_text')}</p>
        <Act act={close}>{t('day.close_now')}</Act>
      </Sheet>
    </Page>
  );
}

export function TotalCard({ total }: { total: Total }) {
  const { t, money, number } = useWords();
  const of = (minor: number) => money(minor, total.asset);
  const lines: [string, string][] = [
    [`${t('day.gross')} · ${t('sell.sales_count', { count: total.sales, shown: number(total.sales) })}`, of(total.gross_minor)],
    [t('day.tips'), of(total.tip_minor)],
    [t('day.fees'), of(-total.fee_minor)],
    [`${t('day.refunds')}${total.refunds ? ` · ${number(total.refunds)}` : ''}`, of(-total.refunded_minor)],
    [t('day.fees_back'), of(total.fee_back_minor)],
  ];
  return (
    <section className="card total">
      <header><span>{t('day.net')}</span><strong><Amount minor={total.net_minor} asset={total.asset} /></strong></header>
      <dl>{lines.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
    </section>
  );
}

/** One closed report, to read and to print. */
export function ReportPage({ found }: { found: Record<string, string> }) {
  const { t, date } = useWords();
  const { card, tills } = useShop();
  const { shop } = usePlace();
  const { data, problem, loading, again } = useLive<Report>('/v1/shop/report', { shop, number: Number(found.number) });
  return (
    <Page title={t('day.report', { number: found.number })} up="/day" side={<button type="button" className="round-button no-print" aria-label={t('day.print')} title={t('day.print')} onClick={() => print()}><Icon name="receipt" size={22} /></button>}>
      {data ? (
        <div className="stack paper">
          <dl className="facts">
            <div><dt>{t('choose.shop')}</dt><dd>{card.shop.name}</dd></div>
            <div><dt>{t('sales.till')}</dt><dd>{data.till ? (tills.find((one) => one.till === data.till)?.label ?? data.till.slice(-6)) : t('sales.all_tills')}</dd></div>
            <div><dt>{t('day.from')}</dt><dd>{date(data.from)}</dd></div>
            <div><dt>{t('day.to')}</dt><dd>{date(data.to)}</dd></div>
          </dl>
          {data.totals.length ? data.totals.map((one) => <TotalCard key={one.asset} total={one} />) : <Empty icon="chart" title={t('day.nothing')} />}
          <p className="quiet">{t('day.adds_up')}</p>
        </div>
      ) : <Waiting loading={loading} problem={problem} again={again} />}
    </Page>
  );
}
