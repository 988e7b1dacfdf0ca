import { type ComponentType, Suspense, lazy, useEffect, useRef } from 'react';
import { useWords } from '../shared/i18n';
import { Icon, type IconName, Mark } from '../shared/icons';
import { href, match, useHere } from '../shared/router';
import { useSession } from '../shared/session';
import { Confirmation } from './parts/Confirmation';
import { Home } from './pages/Home';
import { Loading } from './ui';

type Props = { place: string; found: Record<string, string> };
type Loaded = ComponentType<Props>;
const page = (load: () => Promise<Record<string, Loaded>>, name: string) =>
  lazy(async () => ({ default: (await load())[name] as Loaded }));
const send = () => import('./pages/Send') as never as Promise<Record<string, Loaded>>;
const money = () => import('./pages/Bank') as never as Promise<Record<string, Loaded>>;
const together = () => import('./pages/Together') as never as Promise<Record<string, Loaded>>;
const buy = () => import('./pages/Buy') as never as Promise<Record<string, Loaded>>;
const pools = () => import('./pages/Pools') as never as Promise<Record<string, Loaded>>;
const safety = () => import('./pages/Safety') as never as Promise<Record<string, Loaded>>;
const history = () => import('./pages/History') as never as Promise<Record<string, Loaded>>;
const scan = () => import('./pages/Scan') as never as Promise<Record<string, Loaded>>;
const shop = () => import('./pages/Shop') as never as Promise<Record<string, Loaded>>;
const you = () => import('./pages/You') as never as Promise<Record<string, Loaded>>;
const welcome = () => import('./pages/Welcome') as never as Promise<Record<string, Loaded>>;

/** Every page of the wallet; what is not `Home` loads when it is first opened. */
const ROUTES: readonly (readonly [string, Loaded])[] = [
  ['/', Home as Loaded],
  ['/send/:to?', page(send, 'Send')],
  ['/scan', page(scan, 'Scan')],
  ['/code', page(() => import('./pages/MyCode') as never, 'MyCode')],
  ['/ask/:to?', page(together, 'Ask')],
  ['/requests', page(together, 'Requests')],
  ['/request/:id', page(together, 'RequestPage')],
  ['/split', page(together, 'Split')],
  ['/packets', page(together, 'Packets')],
  ['/packet/:id', page(together, 'PacketPage')],
  ['/activity', page(history, 'ActivityPage')],
  ['/payment/:id', page(history, 'PaymentPage')],
  ['/statement', page(() => import('./pages/Statement') as never, 'Statement')],
  ['/standing', page(() => import('./pages/Standing') as never, 'Standing')],
  ['/orders', page(() => import('./pages/Orders') as never, 'Orders')],
  ['/order/:id', page(() => import('./pages/Order') as never, 'OrderPage')],
  ['/buy/:to?', page(buy, 'Buy')],
  ['/sell', page(buy, 'Sell')],
  ['/pools', page(pools, 'Pools')],
  ['/pools/new', page(pools, 'NewPool')],
  ['/pool/:id', page(pools, 'PoolPage')],
  ['/top-up', page(money, 'TopUp')],
  ['/withdraw', page(money, 'Withdraw')],
  ['/pay/:order', page(shop, 'Checkout')],
  ['/till/:shop/:till', page(shop, 'PayTill')],
  ['/stay/:id', page(shop, 'StayPage')],
  ['/safety', page(safety, 'Safety')],
  ['/safety/limits', page(safety, 'Limits')],
  ['/safety/devices', page(safety, 'Devices')],
  ['/safety/trusted', page(safety, 'Trusted')],
  ['/safety/data', page(() => import('./pages/Data') as never, 'Data')],
  ['/you', page(you, 'You')],
  ['/authorize', page(() => import('./pages/Authorize') as never, 'Authorize')],
];
const TABS: readonly (readonly [string, IconName, string])[] = [
  ['/', 'home', 'tabs.home'],
  ['/activity', 'activity', 'tabs.activity'],
  ['/scan', 'scan', 'tabs.scan'],
  ['/orders', 'box', 'tabs.orders'],
  ['/you', 'person', 'tabs.you'],
];
const RAIL: readonly (readonly [string, IconName, string])[] = [
  ...TABS,
  ['/code', 'code', 'actions.code'],
  ['/statement', 'chart', 'actions.statement'],
  ['/safety', 'shield', 'actions.safety'],
];

const Welcome = page(welcome, 'Welcome');
const Recover = page(welcome, 'Recover');

export function App() {
  const { t } = useWords();
  const place = useHere();
  const { state } = useSession();
  const main = useRef<HTMLElement>(null);
  const path = place.split('?')[0] ?? '/';
  const first = useRef(true);
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [path]);
  const inside = state === 'in' || state === 'offline';
  const top = TABS.some(([to]) => to === path && to !== '/scan');
  const framed = inside && !path.startsWith('/authorize') && !path.startsWith('/pay/');
  return (
    <div className="shell" data-framed={framed} data-top={top}>
      <a className="skip-link" href="#content" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>{t('common.skip')}</a>
      {framed && <Rail path={path} />}
      <main id="content" ref={main} tabIndex={-1} className="content">
        {state === 'offline' && <p className="offline" role="status">{t('common.offline')}</p>}
        <Suspense fallback={<Loading />}>
          {state === 'unknown' ? <Loading whole /> : inside ? <Routed place={place} /> : path === '/recover' ? <Recover place={place} found={{}} /> : <Welcome place={place} found={{}} />}
        </Suspense>
      </main>
      {framed && <Tabs path={path} />}
      <Confirmation />
    </div>
  );
}

function Routed({ place }: { place: string }) {
  for (const [pattern, Page] of ROUTES) {
    const found = match(pattern, place);
    if (found) return <Page key={pattern === '/' ? pattern : place} place={place} found={found} />;
  }
  return <Home />;
}

const current = (path: string, to: string) => (path === to || (to !== '/' && path.startsWith(`${to}/`)) ? 'page' : undefined);

function Tabs({ path }: { path: string }) {
  const { t } = useWords();
  return (
    <nav className="tabs" aria-label={t('tabs.label')}>
      {TABS.map(([to, icon, name]) => (
        <a key={to} href={href(to)} aria-current={current(path, to)} className={to === '/scan' ? 'tab tab-scan' : 'tab'}>
          <span className="tab-icon"><Icon name={icon} /></span>
          <span>{t(name)}</span>
        </a>
      ))}
    </nav>
  );
}

function Rail({ path }: { path: string }) {
  const { t } = useWords();
  return (
    <nav className="rail" aria-label={t('tabs.label')}>
      <a className="brand" href={href('/')}><Mark size={34} /><span>Formicary</span></a>
      {RAIL.map(([to, icon, name]) => (
        <a key={to} href={href(to)} aria-current={current(path, to)}><Icon name={icon} size={22} /><span>{t(name)}</span></a>
      ))}
    </nav>
  );
}
