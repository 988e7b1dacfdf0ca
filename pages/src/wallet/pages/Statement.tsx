import { useState } from 'react';
import { withParams } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';
import { useAsk } from '../../shared/useAsk';
import { usePurses } from '../parts/usePurses';
import { Amount, Choice, Empty, Field, Page, Waiting } from '../ui';

interface Spent {
  month: string | number;
  purpose: string;
  payments: number;
  amount_minor: number;
}

const COLOURS: Record<string, string> = { goods: 'var(--clay)', rent: 'var(--straw)', friend: 'var(--moss)', family: 'var(--berry)', invest: 'light-dark(#7b5ea7, #bda3e0)', fee_for_money: 'light-dark(#555, #bbb)', other: 'light-dark(#a58b6f, #8d7760)' };
const MONTHS = 6;
const day = (at: Date): string => at.toISOString().slice(0, 10);

/** "2026-11" of what the API writes: 202611 or "2026-11". */
export const monthOf = (month: string | number): string => {
  const digits = String(month).replace('-', '');
  return `${digits.slice(0, 4)}-${digits.slice(4, 6)}`;
};

export function lastMonths(now: Date, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const at = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - (count - 1 - index), 1));
    return `${at.getUTCFullYear()}-${String(at.getUTCMonth() + 1).padStart(2, '0')}`;
  });
}

export function Statement() {
  const { t } = useWords();
  const { asset, assets, choose } = usePurses();
  const [from, setFrom] = useState(() => day(new Date(Date.now() - 30 * 86_400_000)));
  const [to, setTo] = useState(() => day(new Date()));
  const file = (format: string) => withParams('/v1/statement', { asset, from, to, format });
  return (
    <Page title={t('statement.title')}>
      {assets.length > 1 ? <Choice label={t('money.currency')} value={asset} onChange={choose} options={assets.map((one) => [one, one] as const)} /> : null}
      <Spending asset={asset} />
      <section className="stack" aria-labelledby="files">
        <h2 id="files">{t('statement.files')}</h2>
        <div className="pair">
          <Field label={t('statement.from')} type="date" value={from} onChange={setFrom} />
          <Field label={t('statement.to')} type="date" value={to} onChange={setTo} />
        </div>
        <div className="files">
          {([['pdf', 'receipt'], ['csv', 'list'], ['camt053', 'bank']] as const).map(([format, icon]) => (
            <a key={format} href={file(format)} download><Icon name={icon} />{t(`statement.${format}`)}</a>
          ))}
        </div>
        <p className="hint">{t('statement.text')}</p>
      </section>
    </Page>
  );
}

function Spending({ asset }: { asset: string }) {
  const { t, date, money } = useWords();
  const { data, ...rest } = useAsk<{ items: Spent[] }>('/v1/pay/spending', { asset, months: MONTHS }, { on: ['pay.'] });
  const months = lastMonths(new Date(), MONTHS);
  const [chosen, setChosen] = useState(months[MONTHS - 1] ?? '');
  if (!data) return <Waiting {...rest} />;
  const of = (month: string) => data.items.filter((item) => monthOf(item.month) === month);
  const sum = (month: string) => of(month).reduce((all, item) => all + item.amount_minor, 0);
  const most = Math.max(1, ...months.map(sum));
  if (data.items.length === 0) return <Empty icon="chart" title={t('statement.none')} text={t('statement.none_text')} />;
  const name = (month: string, long = false) => date(`${month}-15T12:00:00Z`, long ? { month: 'long', year: 'numeric' } : { month: 'short' });
  const kinds = of(chosen).toSorted((a, b) => b.amount_minor - a.amount_minor);
  return (
    <section className="card" aria-label={t('statement.spending')}>
      <div className="rows-head"><h2>{name(chosen, true)}</h2><strong><Amount minor={sum(chosen)} asset={asset} /></strong></div>
      <svg className="months" viewBox="0 0 342 170" role="group" aria-label={t('statement.picture')}>
        {months.map((month, index) => {
          const x = index * 57 + 8;
          let top = 140;
          const label = `${name(month, true)}: ${money(sum(month), asset)}`;
          return (
            <g key={month} className="bar" role="button" tabIndex={0} aria-pressed={month === chosen} aria-label={`${name(month)}: ${label}`} opacity={month === chosen ? 1 : 0.5} onClick={() => setChosen(month)} onKeyDown={(event) => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); setChosen(month); } }}>
              <rect x={x - 8} y={0} width={57} height={168} fill="transparent" />
              <clipPath id={`bar-${month}`}><rect x={x} y={140 - Math.max(3, (sum(month) / most) * 132)} width={41} height={Math.max(3, (sum(month) / most) * 132)} rx={10} /></clipPath>
              <rect x={x} y={137} width={41} height={3} rx={1.5} fill="var(--line)" />
              <g clipPath={`url(#bar-${month})`}>
                {of(month).toSorted((a, b) => b.amount_minor - a.amount_minor).map((item) => {
                  const high = (item.amount_minor / most) * 132;
                  top -= high;
                  return <rect key={item.purpose} x={x} y={top} width={41} height={high + 0.5} fill={COLOURS[item.purpose] ?? COLOURS.other} />;
                })}
              </g>
              <text aria-hidden="true" x={x + 20.5} y={160} textAnchor="middle">{name(month)}</text>
            </g>
          );
        })}
      </svg>
      <ul className="legend">
        {kinds.map((item) => (
          <li key={item.purpose}><span className="dot" style={{ background: COLOURS[item.purpose] ?? COLOURS.other }} /><span>{t(`purposes.${item.purpose}`)} <small className="quiet">{t('statement.payments', { count: item.payments })}</small></span><span>{money(item.amount_minor, asset)}</span></li>
        ))}
        {kinds.length === 0 ? <li className="quiet">{t('statement.none')}</li> : null}
      </ul>
    </section>
  );
}
