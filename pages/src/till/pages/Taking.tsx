import { useEffect, useRef, useState } from 'react';
import { type Page as PageOf, asProblem, newKey, tell } from '../../shared/api';
import { type Happened, useEvents } from '../../shared/events';
import { hasWords, problemText, useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';
import { MoneyInput } from '../../shared/MoneyInput';
import { back, go, search } from '../../shared/router';
import { say, sayProblem } from '../../shared/say';
import { Scanner } from '../../shared/Scanner';
import { useAsk } from '../../shared/useAsk';
import { payerDigits } from '../amount';
import type { Drawn, Order, Paid } from '../answers';
import { useShop } from '../here';
import { Act, Amount, Choice, Empty, Field, Loading, Notice, Page, Row, Rows, Sheet, Tag, Waiting, copy, pictureOf, useNow } from '../kit';
import { ring, usePlace } from '../place';
import { useLive } from '../useLive';

/** An order's code over the whole screen; the customer scans, and the screen turns when the money is there. */
export function OrderCode({ found }: { found: Record<string, string> }) {
  const { t, number } = useWords();
  const { card, till } = useShop();
  const { shop } = usePlace();
  const id = found.id ?? '';
  const order = useAsk<Order>('/v1/shop/order', { order: id }, { everyS: 5 });
  const code = useAsk<Drawn>(`/v1/orders/${id}/code`);
  const [paid, setPaid] = useState<{ payment: string; amount: number; tip: number; state: string }>();
  const now = useNow(1000);
  useEvents(['shop.sale_made', 'shop.sale_resolved', 'shop.order_withdrawn'], (event: Happened) => {
    const told = event.data as { order?: string; payment?: string; amount_minor?: number; tip_minor?: number; state?: string; how?: string };
    if (event.name === 'line.reopened') return order.again();
    if (told.order !== id) return undefined;
    if (event.name === 'shop.sale_made') setPaid({ payment: told.payment ?? '', amount: told.amount_minor ?? 0, tip: told.tip_minor ?? 0, state: told.state ?? 'paid' });
    else if (event.name === 'shop.sale_resolved' && paid) setPaid({ ...paid, state: told.how === 'paid' ? 'paid' : 'returned' });
    return order.again();
  }, shop);
  const data = order.data;
  if (!data) return <Waiting loading={order.loading} problem={order.problem} again={order.again} />;
  if (paid || ((data.state === 'paid' || data.state === 'held') && !data.many)) {
    return <Done payment={paid?.payment ?? data.payment ?? ''} minor={(paid?.amount ?? data.amount_minor) + (paid?.tip ?? 0)} tip={paid?.tip ?? 0} asset={data.asset} state={paid?.state ?? data.state} />;
  }
  const left = Math.max(0, Math.ceil((Date.parse(data.until) - now) / 1000));
  const over = data.state === 'expired' || data.state === 'withdrawn' || (left === 0 && !data.many);
  const leave = async () => {
    try {
      if (!over && !data.many) await tell('/v1/shop/withdraw_order', { order: id });
    } catch (error) {
      if (asProblem(error).code !== 'shop_order_paid') sayProblem(error);
      else return order.again();
    }
    return back('/');
  };
  return (
    <section className="show" aria-label={t('show.title')}>
      <header className="show-head"><span>{card.shop.name}</span><small>{till?.label ?? ''}</small></header>
      <h1 className="show-amount"><Amount minor={data.amount_minor + data.tip_minor} asset={data.asset} /></h1>
      {data.tip === 'ask' ? <p className="show-more">{t('show.tip_ask')}</p> : data.tip_minor ? <p className="show-more">{t('show.tip_in')}</p> : null}
      <div className="show-plate" data-over={over}>
        {code.data ? <img src={pictureOf(code.data.qr)} alt={t('show.alt')} /> : <Loading />}
        {over ? <span className="show-over"><Icon name="clock" size={40} />{t('show.over')}</span> : null}
      </div>
      <p className="show-wait" role="status">{over ? t('show.over_text') : <><span className="show-dot" aria-hidden="true" />{t('show.wait')}</>}</p>
      {data.many || over ? null : <p className="show-left">{t('show.left', { shown: `${number(Math.floor(left / 60))}:${String(left % 60).padStart(2, '0')}` })}{data.number ? ` · № ${data.number}` : ''}</p>}
      {code.data && !over ? <Act fill="outline" act={async () => { if (await copy(code.data?.link ?? '')) say(t('common.copied'), 'good'); }}>{t('links.copy')}</Act> : null}
      <footer className="show-foot">
        <button type="button" className="button button-quiet" onClick={() => void leave()}>{t(over || data.many ? 'common.back' : 'show.cancel')}</button>
        {over || data.many ? null : <button type="button" className="button button-quiet" onClick={() => { void tell('/v1/shop/withdraw_order', { order: id }).then(() => go(`/charge/${data.asset}/${data.amount_minor}`, { replace: true }), sayProblem); }}><Icon name="scan" size={20} />{t('sell.scan')}</button>}
      </footer>
    </section>
  );
}

/** Paid, big and clear; or held, just as clear. */
function Done({ payment, minor, tip, asset, state, reasons = [] }: { payment: string; minor: number; tip: number; asset: string; state: string; reasons?: readonly string[] }) {
  const { t, money } = useWords();
  const next = useRef<HTMLButtonElement>(null);
  const good = state === 'paid';
  useEffect(() => {
    next.current?.focus();
    if (good) ring();
  }, [good]);
  return (
    <section className="done" data-state={good ? 'paid' : state} role="alert">
      <span className="done-badge" aria-hidden="true"><Icon name={good ? 'check' : state === 'held' ? 'clock' : 'close'} size={72} /></span>
      <h1>{t(good ? 'done.paid' : state === 'held' ? 'done.held' : 'done.returned')}</h1>
      <p className="done-amount"><Amount minor={minor} asset={asset} /></p>
      {tip > 0 ? <p>{t('done.tip', { money: money(tip, asset) })}</p> : null}
      {state === 'held' ? <p className="done-text">{t('done.held_text')}</p> : null}
      {reasons.length ? <ul className="done-reasons">{reasons.map((reason) => <li key={reason}>{t(hasWords(`reasons.${reason}.title`) ? `reasons.${reason}.title` : 'reasons.other.title')}</li>)}</ul> : null}
      <footer className="show-foot">
        <button ref={next} type="button" className="button done-next" onClick={() => go('/', { replace: true })}>{t('done.next')}</button>
        {payment ? <button type="button" className="button button-quiet" onClick={() => go(`/sale/${payment}`, { replace: true })}>{t('done.open')}</button> : null}
      </footer>
    </section>
  );
}

/** The customer shows a code; the till reads it by camera, a scanner on a cable, or typed. */
export function ChargeCode({ place, found }: { place: string; found: Record<string, string> }) {
  const { t } = useWords();
  const { card } = useShop();
  const { shop, till } = usePlace();
  const asset = found.asset ?? '';
  const minor = Number(found.amount ?? 0);
  const number = search(place).get('number') ?? '';
  const [digits, setDigits] = useState('');
  const [wrong, setWrong] = useState('');
  const [paid, setPaid] = useState<Paid>();
  const [camera, setCamera] = useState(true);
  const busy = useRef(false);
  const charge = async (text: string) => {
    if (busy.current || paid) return;
    busy.current = true;
    setWrong('');
    try {
      setPaid(await tell<Paid>('/v1/shop/charge-code', { shop, till: till || null, text, asset, amount_minor: minor, number }, { key: newKey() }));
    } catch (error) {
      setWrong(problemText(asProblem(error)));
      setDigits('');
    } finally {
      busy.current = false;
    }
  };
  if (!Number.isSafeInteger(minor) || minor <= 0) return <Notice tone="bad" icon="warn"><p>{t('codes.bad_request')}</p></Notice>;
  if (paid) return <Done payment={paid.payment} minor={minor} tip={0} asset={asset} state={paid.state} reasons={paid.reasons} />;
  return (
    <section className="show" aria-label={t('charge.title')}>
      <header className="show-head"><span>{card.shop.name}</span></header>
      <h1 className="show-amount"><Amount minor={minor} asset={asset} /></h1>
      <p className="show-more">{t('charge.text')}</p>
      {camera ? <Scanner onText={(text) => void charge(text)} /> : null}
      {wrong ? <p className="wrong show-wrong" role="alert"><Icon name="warn" size={20} />{wrong}</p> : null}
      <form className="stack show-form" onSubmit={(event) => event.preventDefault()}>
        <Field label={t('charge.digits')} value={digits} onChange={(text) => { setDigits(text); const whole = payerDigits(text); if (whole) void charge(whole); }} inputMode="numeric" placeholder="000 000 000 000 000 000" maxLength={26} autoFocus />
        <Act type="submit" disabled={!payerDigits(digits)} act={() => charge(payerDigits(digits))}>{t('charge.charge')}</Act>
      </form>
      <footer className="show-foot">
        <button type="button" className="button button-quiet" onClick={() => back('/')}>{t('show.cancel')}</button>
        <button type="button" className="button button-quiet" aria-pressed={camera} onClick={() => setCamera(!camera)}><Icon name="camera" size={20} />{t(camera ? 'charge.camera_off' : 'charge.camera_on')}</button>
      </footer>
    </section>
  );
}

const DAYS = ['1', '7', '30', '365'] as const;

/** Payment links that many can pay, and the orders that are open. */
export function Links() {
  const { t, date } = useWords();
  const { card } = useShop();
  const { shop, till } = usePlace();
  const [making, setMaking] = useState(false);
  const [asset, setAsset] = useState(card.assets[0] ?? 'EUR');
  const [minor, setMinor] = useState<number | null>(null);
  const [number, setNumber] = useState('');
  const [days, setDays] = useState<(typeof DAYS)[number]>('30');
  const { data, problem, loading, again } = useLive<PageOf<Order>>('/v1/shop/orders', { shop, state: 'open', limit: 50 });
  const make = async () => {
    const until = new Date(Date.now() + Number(days) * 86_400_000 - 60_000).toISOString();
    const made = await tell<{ order: string }>('/v1/shop/new_order', { shop, till: till || null, asset, amount_minor: minor, tip: 'none', tip_value: 0, number, until, many: true, exit: false });
    setMaking(false);
    go(`/order/${made.order}`);
  };
  const items = data?.items ?? [];
  return (
    <Page title={t('links.title')} up="/more">
      <p className="quiet">{t('links.text')}</p>
      <Act act={async () => setMaking(true)}>{t('links.new')}</Act>
      {data ? null : <Waiting loading={loading} problem={problem} again={again} />}
      {items.length ? (
        <Rows>
          {items.map((one) => (
            <Row key={one.order} to={`/order/${one.order}`} icon={one.many ? 'share' : 'code'} title={one.number ? `№ ${one.number}` : t(one.many ? 'links.link' : 'links.order')} text={t('links.until', { date: date(one.until, { dateStyle: 'medium' }) })} end={<span className="row-money"><Amount minor={one.amount_minor} asset={one.asset} />{one.many ? <Tag>{t('links.many')}</Tag> : null}</span>} />
          ))}
        </Rows>
      ) : data ? <Empty icon="share" title={t('links.none')} text={t('links.none_text')} /> : null}
      <Sheet open={making} title={t('links.new')} onClose={() => setMaking(false)}>
        <MoneyInput label={t('links.amount')} asset={asset} assets={card.assets} onAsset={setAsset} value={minor} onChange={setMinor} />
        <Field label={t('sell.number')} value={number} onChange={(text) => setNumber(text.replace(/[^ -~]/g, ''))} hint={t('sell.number_hint')} maxLength={25} />
        <Choice label={t('links.how_long')} value={days} onChange={setDays} options={DAYS.map((day) => [day, t('links.days', { count: Number(day) })] as const)} />
        <Act disabled={!minor} act={make}>{t('links.make')}</Act>
      </Sheet>
    </Page>
  );
}
