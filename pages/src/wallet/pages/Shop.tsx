import { useMemo, useState } from 'react';
import type { Party } from '../../shared/answers';
import { newKey, tell } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';
import { MoneyInput } from '../../shared/MoneyInput';
import { href } from '../../shared/router';
import { useSession } from '../../shared/session';
import { useAsk } from '../../shared/useAsk';
import { Outcome } from '../parts/Outcome';
import { PartyCard } from '../parts/PartyField';
import { writeOffer } from '../parts/terms';
import { usePurses } from '../parts/usePurses';
import { Act, Amount, Choice, Notice, Page, Waiting, nameOf, useNow } from '../ui';
import { pictureOf } from './MyCode';

interface Order {
  order: string;
  shop: Party;
  asset: string;
  amount_minor: number;
  tip: 'none' | 'ask' | 'fixed' | 'percent';
  tip_value: number;
  tip_minor: number;
  number: string;
  until: string;
  many: boolean;
  exit: boolean;
  state: string;
  payment?: string | null;
}

interface Paid {
  payment: string;
  state: 'paid' | 'held';
  reasons: string[];
  exit_until?: string | null;
}

/** The same as a safe order, for who buys from afar: the money waits until the goods are there. */
export const safely = (order: Pick<Order, 'shop' | 'amount_minor' | 'asset' | 'number'>): string =>
  `/buy/${order.shop.id}?${writeOffer({ what: order.number, minor: order.amount_minor, asset: order.asset, parts: [], carrierKey: '' })}`;

const TIPS = [0, 5, 10, 15] as const;
const PER_TEN_THOUSAND = 10_000n;

/** A share of an amount in per cent, rounded half up to a minor unit, without binary fractions. */
export const tipOf = (amount: number, percent: number): number => Number((BigInt(amount) * BigInt(percent * 100) + PER_TEN_THOUSAND / 2n) / PER_TEN_THOUSAND);

/** An order of a shop: scanned at a till, or opened as a payment link from another page. */
export function Checkout({ found }: { found: Record<string, string> }) {
  const { t, money, date } = useWords();
  const { data, ...rest } = useAsk<Order>('/v1/shop/order', { order: found.order ?? '' }, { on: ['shop.'], everyS: 20 });
  const { purses } = usePurses();
  const [percent, setPercent] = useState('0');
  const [paid, setPaid] = useState<Paid>();
  const key = useMemo(newKey, [found.order, percent]);
  const now = useNow(5000);
  if (!data) return <Page title={t('shop.checkout')}><Waiting {...rest} /></Page>;
  const tip = data.tip === 'ask' ? tipOf(data.amount_minor, Number(percent)) : data.tip_minor;
  const all = data.amount_minor + tip;
  if (paid) return <Outcome sent={paid} party={data.shop} minor={all} asset={data.asset}>{data.exit && paid.state === 'paid' ? <Exit order={data.order} /> : null}</Outcome>;
  const purse = purses.find((one) => one.asset === data.asset);
  const over = Date.parse(data.until) < now;
  const open = data.state === 'open' && !over;
  const short = purse === undefined || purse.available_minor < all;
  return (
    <Page title={t('shop.checkout')}>
      <PartyCard party={data.shop} />
      <div className="moment"><p className="moment-amount"><Amount minor={all} asset={data.asset} /></p>{data.number ? <p>{t('shop.number', { number: data.number })}</p> : null}</div>
      {data.tip === 'ask' && open ? <Choice label={t('shop.tip')} value={percent} onChange={setPercent} options={TIPS.map((one) => [String(one), one === 0 ? t('shop.no_tip') : `${one} %`] as const)} /> : null}
      {tip > 0 ? <p className="quiet">{t('shop.with_tip', { amount: money(data.amount_minor, data.asset), tip: money(tip, data.asset) })}</p> : null}
      {!open ? <Notice tone={data.state === 'paid' ? 'good' : 'bad'} icon={data.state === 'paid' ? 'check' : 'warn'}><p>{t(over && data.state === 'open' ? 'codes.shop_order_expired' : `shop_states.${data.state}`)}</p></Notice> : null}
      {open && short ? <Notice tone="warn" icon="info"><p>{t('codes.exceeds_funds')}</p></Notice> : null}
      {open ? (
        <>
          <Act disabled={short} act={async () => setPaid(await tell<Paid>('/v1/shop/pay_order', { order: data.order, tip_minor: tip }, { key }))}>{t('send.pay', { amount: money(all, data.asset), name: nameOf(data.shop, t('common.unknown_person')) })}</Act>
          <p className="hint">{t('shop.until', { at: date(data.until) })}</p>
          {data.many && !data.exit ? <a className="link" href={href(safely(data))}>{t('shop.safely')}</a> : null}
        </>
      ) : null}
    </Page>
  );
}

/** The code that opens the shop's gate once. */
function Exit({ order }: { order: string }) {
  const { t } = useWords();
  const [token, setToken] = useState<{ token: string; qr: string; until: string }>();
  const now = useNow();
  if (!token) return <Act fill="outline" act={async () => setToken(await tell('/v1/shop/exit-token', { order }))}><Icon name="out" size={18} /> {t('shop.exit')}</Act>;
  const left = Math.max(0, Math.ceil((Date.parse(token.until) - now) / 1000));
  return (
    <div className="my-code card">
      <h2>{t('shop.exit')}</h2>
      <div className="qr-plate"><img src={pictureOf(token.qr)} alt={t('shop.exit')} width="240" height="240" /></div>
      <p className="quiet" role="timer">{t('code.left', { count: left })}</p>
    </div>
  );
}

/** A till's printed code: the payer types the amount. */
export function PayTill({ found }: { found: Record<string, string> }) {
  const { t, money } = useWords();
  const { person } = useSession();
  const { purse, asset, assets, choose } = usePurses();
  const shop = useAsk<{ shop: Party; assets: string[]; state: string }>('/v1/shop/shop', { shop: found.shop ?? '' });
  const [minor, setMinor] = useState<number | null>(null);
  const [paid, setPaid] = useState<Paid>();
  const key = useMemo(newKey, [found.till, minor, asset, person?.person.id]);
  if (!shop.data) return <Page title={t('shop.pay')}><Waiting {...shop} /></Page>;
  const party = shop.data.shop;
  if (paid) return <Outcome sent={paid} party={party} minor={minor ?? 0} asset={asset} />;
  const taken = assets.filter((one) => shop.data?.assets.includes(one));
  const tooMuch = minor !== null && purse !== undefined && minor > purse.available_minor;
  const pay = async () => setPaid(await tell<Paid>('/v1/shop/pay_till', { shop: party.id, till: found.till, asset, amount_minor: minor, tip_minor: 0 }, { key }));
  return (
    <Page title={t('shop.pay')}>
      <PartyCard party={party} />
      <form className="stack" onSubmit={(event) => event.preventDefault()}>
        <MoneyInput label={t('send.amount')} asset={asset} assets={taken} onAsset={choose} value={minor} onChange={setMinor} autoFocus problem={tooMuch ? t('codes.exceeds_funds') : undefined} />
        <Act type="submit" disabled={!minor || tooMuch} act={pay}>{minor ? t('send.pay', { amount: money(minor, asset), name: nameOf(party, t('common.unknown_person')) }) : t('shop.pay')}</Act>
      </form>
    </Page>
  );
}

interface StayTold {
  stay: string;
  shop: Party;
  asset: string;
  deposit_minor: number;
  until: string;
  state: string;
  folio_minor: number;
  folio: { amount_minor: number; label: string | null; at: string }[];
}

/** A hotel stay: one consent gives check-in, the deposit's hold, the room's key and the bill. */
export function StayPage({ found }: { found: Record<string, string> }) {
  const { t, money, date } = useWords();
  const { data, ...rest } = useAsk<StayTold>('/v1/shop/stay', { stay: found.id ?? '' }, { on: ['shop.'] });
  const [key, setKey] = useState<{ qr: string; until: string }>();
  if (!data) return <Page title={t('stay.title')}><Waiting {...rest} /></Page>;
  const open = async () => {
    setKey(await tell('/v1/shop/check-in', { stay: data.stay }));
    rest.again();
  };
  return (
    <Page title={t('stay.title')}>
      <PartyCard party={data.shop} />
      {key ? <div className="my-code card" aria-live="polite"><h2>{t('stay.key')}</h2><div className="qr-plate"><img src={pictureOf(key.qr)} alt={t('stay.key')} width="240" height="240" /></div><p className="quiet">{t('shop.until', { at: date(key.until) })}</p></div> : null}
      <dl className="facts">
        <div><dt>{t('stay.deposit')}</dt><dd>{money(data.deposit_minor, data.asset)}</dd></div>
        <div><dt>{t('stay.until')}</dt><dd>{date(data.until)}</dd></div>
        {data.folio.map((line) => <div key={line.at}><dt>{line.label ?? '…'}</dt><dd>{money(line.amount_minor, data.asset)}</dd></div>)}
        {data.folio_minor > 0 ? <div><dt>{t('stay.folio')}</dt><dd>{money(data.folio_minor, data.asset)}</dd></div> : null}
      </dl>
      {data.state === 'offered' ? <><p className="quiet">{t('stay.text')}</p><Act act={open}>{t('stay.check_in')}</Act></> : null}
    </Page>
  );
}
