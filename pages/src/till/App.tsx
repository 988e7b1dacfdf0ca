import { type ComponentType, Suspense, lazy, useEffect, useRef } from 'react';
import type { Page as PageOf } from '../shared/api';
import { live } from '../shared/events';
import { useWords } from '../shared/i18n';
import { Icon, type IconName, Mark } from '../shared/icons';
import { href, match, useHere } from '../shared/router';
import { useSession } from '../shared/session';
import { useStore } from '../shared/store';
import { useAsk } from '../shared/useAsk';
import type { ShopCard, ShopLine, Till } from './answers';
import { Confirmation, Loading, Waiting, nameOf } from './kit';
import { Choose } from './pages/Choose';
import { Sell } from './pages/Sell';
import { SignIn } from './pages/SignIn';
import { usePlace } from './place';
import { Here } from './here';
import { useLive } from './useLive';

type Loaded = ComponentType<{ place: string; found: Record<string, string> }>;
const page = <M,>(load: () => Promise<M>, name: keyof M) => lazy(async () => ({ default: (await load())[name] as Loaded }));
const taking = () => import('./pages/Taking');
const sales = () => import('./pages/Sales');
const day = () => import('./pages/Day');
const people = () => import('./pages/People');
const stays = () => import('./pages/Stays');
const money = () => import('./pages/Money');
const more = () => import('./pages/More');

const ROUTES: readonly (readonly [string, Loaded])[] = [
  ['/', Sell as Loaded],
  ['/order/:id', page(taking, 'OrderCode')],
  ['/charge/:asset/:amount', page(taking, 'ChargeCode')],
  ['/links', page(taking, 'Links')],
  ['/sales', page(sales, 'Sales')],
  ['/sale/:id', page(sales, 'SalePage')],
  ['/day', page(day, 'Day')],
  ['/report/:number', page(day, 'ReportPage')],
  ['/more', page(more, 'More')],
  ['/exit', page(more, 'ExitGate')],
  ['/staff', page(people, 'StaffPage')],
  ['/tills', page(people, 'Tills')],
  ['/till/:id', page(people, 'TillCode')],
  ['/stays', page(stays, 'Stays')],
  ['/stay/:id', page(stays, 'StayPage')],
  ['/tariffs', page(money, 'Tariffs')],
  ['/settlement', page(money, 'SettlementPage')],
];
const TABS: readonly (readonly [string, IconName, string])[] = [
  ['/', 'store', 'tabs.sell'],
  ['/sales', 'list', 'tabs.sales'],
  ['/day', 'chart', 'tabs.day'],
  ['/more', 'settings', 'tabs.more'],
];

export function App() {
  const { t } = useWords();
  const { state } = useSession();
  const { shop } = usePlace();
  const main = useRef<HTMLElement>(null);
  return (
    <div className="till">
      <a className="skip-link" href="#content" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>{t('common.skip')}</a>
      <main id="content" ref={main} tabIndex={-1} className="till-main">
        {state === 'offline' ? <p className="offline" role="status">{t('common.offline')}</p> : null}
        {state === 'unknown' ? <Loading whole /> : state === 'out' ? <SignIn /> : shop ? <Inside key={shop} /> : <Choose />}
      </main>
      <Confirmation />
    </div>
  );
}

/** Signed in, with a shop chosen. */
function Inside() {
  const place = useHere();
  const { shop, till } = usePlace();
  const card = useLive<ShopCard>('/v1/shop/shop', { shop }, ['shop.sale_made', 'shop.shop_settled', 'shop.staff_changed']);
  const mine = useAsk<PageOf<ShopLine>>('/v1/shop/shops', { limit: 100 });
  const tills = useAsk<PageOf<Till>>(`/v1/shop/tills`, { shop, limit: 100 });
  if (place.startsWith('/choose')) return <Choose />;
  if (!card.data || !mine.data || !tills.data) return <Waiting loading={card.loading || mine.loading || tills.loading} problem={card.problem ?? mine.problem ?? tills.problem} again={() => { card.again(); mine.again(); tills.again(); }} />;
  const role = card.data.role || (mine.data.items.find((one) => one.shop.id === shop)?.role ?? '');
  if (!role) return <Choose />;
  const here = { card: card.data, role, till: tills.data.items.find((one) => one.till === till), tills: tills.data.items, again: () => { card.again(); tills.again(); } };
  const whole = /^\/(order|charge)\//.test(place);
  return (
    <Here.Provider value={here}>
      {whole ? null : <Bar />}
      <div className={whole ? 'till-whole' : 'till-content'}>
        <Suspense fallback={<Loading />}><Routed place={place} /></Suspense>
      </div>
      {whole ? null : <Tabs path={place.split('?')[0] ?? '/'} />}
    </Here.Provider>
  );
}

function Routed({ place }: { place: string }) {
  const path = place.split('?')[0];
  useEffect(() => { document.getElementById('content')?.focus({ preventScroll: true }); }, [path]);
  for (const [pattern, Found] of ROUTES) {
    const found = match(pattern, place);
    if (found) return <Found key={place} place={place} found={found} />;
  }
  return <Sell />;
}

function Bar() {
  const { t } = useWords();
  const { shop } = usePlace();
  const line = useStore(live);
  const { data } = useAsk<ShopCard>('/v1/shop/shop', { shop });
  const tills = useAsk<PageOf<Till>>('/v1/shop/tills', { shop, limit: 100 });
  const { till } = usePlace();
  const label = tills.data?.items.find((one) => one.till === till)?.label;
  return (
    <header className="till-bar">
      <span className="till-mark"><Mark size={28} /></span>
      <a className="till-name" href={href('/choose')} title={t('choose.change')}>
        <strong>{nameOf(data?.shop, t('choose.shop'))}</strong>
        <small>{label ?? t('choose.no_till')}</small>
      </a>
      <span className="till-live" data-on={line === 'open'} role="status"><span aria-hidden="true" />{t(line === 'open' ? 'common.live' : 'bar.waiting')}</span>
    </header>
  );
}

const current = (path: string, to: string) => (path === to || (to === '/more' && !['/', '/sales', '/day'].includes(path) && !/^\/(sale|report)\//.test(path)) || (to === '/sales' && path.startsWith('/sale/')) || (to === '/day' && path.startsWith('/report/')) ? 'page' : undefined);

function Tabs({ path }: { path: string }) {
  const { t } = useWords();
  return (
    <nav className="till-tabs" aria-label={t('tabs.label')}>
      {TABS.map(([to, icon, words]) => (
        <a key={to} href={href(to)} aria-current={current(path, to)}><Icon name={icon} size={23} /><span>{t(words)}</span></a>
      ))}
    </nav>
  );
}
