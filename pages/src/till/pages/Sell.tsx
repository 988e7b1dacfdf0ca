import { useEffect, useState } from 'react';
import { type Page as PageOf, newKey, tell } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';
import { go, href } from '../../shared/router';
import { sayProblem } from '../../shared/say';
import { useShop } from '../here';
import { pressed } from '../amount';
import type { Sale, Total, Report } from '../answers';
import { Act, Amount, Field, Notice, Pick, Row, Rows, Sheet, Tag } from '../kit';
import { usePlace, useWishes, wish } from '../place';
import { useLive } from '../useLive';

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '00', '0', 'back'] as const;
const ORDER_MINUTES = 15;
let lastAsset = '';

/** The amount, then the customer's code or ours. */
export function Sell() {
  const { t } = useWords();
  const { card } = useShop();
  const { shop, till } = usePlace();
  const wishes = useWishes();
  const [minor, setMinor] = useState(0);
  const [asset, setAsset] = useState(() => (card.assets.includes(lastAsset) ? lastAsset : card.assets[0] ?? 'EUR'));
  const [number, setNumber] = useState('');
  const [options, setOptions] = useState(false);
  const [busy, setBusy] = useState(false);
  const shut = card.state !== 'open';
  useEffect(() => { document.title = `${card.shop.name} · ${t('tabs.sell')}`; }, [card.shop.name, t]);
  const show = async () => {
    if (minor === 0 || busy) return;
    setBusy(true);
    try {
      const until = new Date(Date.now() + ORDER_MINUTES * 60_000).toISOString();
      const made = await tell<{ order: string }>('/v1/shop/new_order', { shop, till: till || null, asset, amount_minor: minor, tip: wishes.tip, tip_value: 0, number, until, many: false, exit: wishes.exit }, { key: newKey() });
      go(`/order/${made.order}`);
    } catch (error) {
      sayProblem(error);
      setBusy(false);
    }
  };
  const scan = () => { if (minor > 0) go(`/charge/${asset}/${minor}${number ? `?number=${encodeURIComponent(number)}` : ''}`); };
  useEffect(() => {
    const typed = (event: KeyboardEvent) => {
      if (event.target instanceof HTMLElement && event.target.closest('input, textarea, select, dialog')) return;
      if (event.metaKey || event.ctrlKey || event.altKey) return;
      if (/^[0-9]$/.test(event.key)) setMinor((now) => pressed(now, event.key));
      else if (event.key === 'Backspace') setMinor((now) => pressed(now, 'back'));
      else if (event.key === 'Escape' || event.key === 'Delete') setMinor(0);
      else if (event.key === 'Enter' && !(event.target instanceof HTMLElement && event.target.closest('a, button'))) void show();
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', typed);
    return () => removeEventListener('keydown', typed);
  });
  const choose = (next: string) => { lastAsset = next; setAsset(next); };
  return (
    <div className="sell">
      <section className="sell-pad" aria-label={t('sell.title')}>
        <h1 className="visually-hidden">{t('sell.title')}</h1>
        {shut ? <Notice tone="warn" icon="warn" title={t(`shop_states.${card.state}`)}><p>{t('sell.shut')}</p></Notice> : null}
        <output className="sell-amount" aria-live="polite" data-zero={minor === 0}><Amount minor={minor} asset={asset} /></output>
        <div className="sell-tools">
          {card.assets.length > 1 ? (
            <span className="sell-asset"><select aria-label={t('money.currency')} value={asset} onChange={(event) => choose(event.target.value)}>{card.assets.map((one) => <option key={one}>{one}</option>)}</select></span>
          ) : null}
          <button type="button" className="sell-tool" onClick={() => setOptions(true)}>
            <Icon name="settings" size={18} />{number ? `№ ${number}` : wishes.tip === 'ask' ? t('sell.with_tip') : wishes.exit ? t('sell.with_exit') : t('sell.options')}
          </button>
          {minor > 0 ? <button type="button" className="sell-tool" onClick={() => setMinor(0)}><Icon name="close" size={18} />{t('sell.clear')}</button> : null}
        </div>
        <div className="pad" role="group" aria-label={t('sell.pad')}>
          {KEYS.map((key) => (
            <button key={key} type="button" className="pad-key" aria-label={key === 'back' ? t('sell.back') : undefined} onClick={() => setMinor((now) => pressed(now, key))}>
              {key === 'back' ? <Icon name="back" size={26} /> : key}
            </button>
          ))}
        </div>
        <div className="sell-acts">
          <button type="button" className="button sell-show" disabled={minor === 0 || shut || busy} onClick={() => void show()}><Icon name="code" />{t('sell.show')}</button>
          <button type="button" className="button button-outline" disabled={minor === 0 || shut} onClick={scan}><Icon name="scan" />{t('sell.scan')}</button>
        </div>
      </section>
      <Side />
      <Sheet open={options} title={t('sell.options')} onClose={() => setOptions(false)}>
        <Field label={t('sell.number')} value={number} onChange={(text) => setNumber(text.replace(/[^ -~]/g, ''))} hint={t('sell.number_hint')} maxLength={25} />
        <Pick label={t('sell.tip')} value={wishes.tip} onChange={(tip) => wish({ tip: tip as 'none' | 'ask' })} options={[['none', t('sell.tip_none')], ['ask', t('sell.tip_ask')]]} />
        <label className="check"><input type="checkbox" checked={wishes.exit} onChange={(event) => wish({ exit: event.target.checked })} /><span>{t('sell.exit')}<small className="hint">{t('sell.exit_hint')}</small></span></label>
        <Act act={async () => setOptions(false)}>{t('common.done')}</Act>
      </Sheet>
    </div>
  );
}

/** On a desk: how today goes, and the newest sales. */
function Side() {
  const { t } = useWords();
  const { shop, till } = usePlace();
  const sales = useLive<PageOf<Sale>>('/v1/shop/sales', { shop, till: till || undefined, limit: 7 });
  const report = useLive<Report>('/v1/shop/report', { shop, till: till || undefined });
  return (
    <aside className="sell-side" aria-label={t('sell.today')}>
      <Today totals={report.data?.totals ?? []} />
      {sales.data?.items.length ? <Rows title={t('sell.newest')} side={<a className="link" href={href('/sales')}>{t('common.all')}</a>}>{sales.data.items.map((sale) => <SaleRow key={sale.payment} sale={sale} />)}</Rows> : null}
    </aside>
  );
}

export function Today({ totals }: { totals: readonly Total[] }) {
  const { t, number } = useWords();
  if (totals.length === 0) return <section className="today"><h2>{t('sell.today')}</h2><p className="today-none">{t('sell.nothing_yet')}</p></section>;
  return (
    <section className="today">
      <h2>{t('sell.today')}</h2>
      {totals.map((one) => (
        <div key={one.asset} className="today-one">
          <span className="today-amount"><Amount minor={one.gross_minor + one.tip_minor - one.refunded_minor} asset={one.asset} /></span>
          <small>{t('sell.sales_count', { count: one.sales, shown: number(one.sales) })}{one.refunds ? ` · ${t('sell.refunds_count', { count: one.refunds, shown: number(one.refunds) })}` : ''}</small>
        </div>
      ))}
    </section>
  );
}

export function SaleRow({ sale }: { sale: Sale }) {
  const { t, moment } = useWords();
  const whole = sale.amount_minor + sale.tip_minor;
  const back = sale.refunded_minor > 0;
  const mark = sale.state === 'held' ? <Tag tone="warn">{t('sales.held')}</Tag> : sale.state === 'returned' ? <Tag tone="bad">{t('sales.returned')}</Tag> : back ? <Tag>{t(sale.refunded_minor >= whole ? 'sales.refunded' : 'sales.refunded_part')}</Tag> : null;
  return (
    <Row
      to={`/sale/${sale.payment}`}
      icon={sale.state === 'held' ? 'clock' : back ? 'repeat' : 'check'}
      title={sale.number ? `№ ${sale.number}` : t('sales.sale')}
      text={`${moment(sale.at)}${sale.tip_minor ? ` · ${t('sales.with_tip')}` : ''}`}
      end={<span className="row-money" data-undone={sale.state === 'returned'}><Amount minor={whole} asset={sale.asset} />{mark}</span>}
    />
  );
}
