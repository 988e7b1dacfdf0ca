import { type ComponentType, Suspense, lazy, useEffect, useRef, useState } from 'react';
import { useWords } from '../shared/i18n';
import { Icon, type IconName, Mark } from '../shared/icons';
import { href, match, useHere } from '../shared/router';
import { signOut, useSession } from '../shared/session';
import { useAsk } from '../shared/useAsk';
import { Look } from './Look';
import { Confirmation } from './parts/Confirmation';
import { SignIn } from './parts/SignIn';
import { Languages, Looks } from './parts/Wishes';

type Loaded = ComponentType<{ place: string; found: Record<string, string> }>;
const page = <M,>(load: () => Promise<M>, name: keyof M) => lazy(async () => ({ default: (await load())[name] as Loaded }));
const cases = () => import('./pages/Cases');
const disputes = () => import('./pages/Disputes');
const people = () => import('./pages/People');
const bank = () => import('./pages/Bank');
const rules = () => import('./pages/Rules');

const ROUTES: readonly (readonly [string, Loaded])[] = [
  ['/', page(() => import('./pages/Health'), 'HealthPage')],
  ['/people', page(people, 'People')],
  ['/person/:id', page(people, 'PersonPage')],
  ['/account/:id', page(people, 'AccountPage')],
  ['/roles', page(people, 'Roles')],
  ['/cases', page(cases, 'Cases')],
  ['/case/:id', page(cases, 'CasePage')],
  ['/disputes', page(disputes, 'Disputes')],
  ['/dispute/:id', page(disputes, 'DisputePage')],
  ['/bank', page(bank, 'Reconciliation')],
  ['/backing', page(() => import('./pages/Backing'), 'Backing')],
  ['/positions', page(() => import('./pages/Positions'), 'Positions')],
  ['/parameters', page(rules, 'Parameters')],
  ['/proposals', page(rules, 'Proposals')],
  ['/rules', page(() => import('./pages/GuardRules'), 'GuardRules')],
  ['/audit', page(() => import('./pages/Audit'), 'Audit')],
  ['/sql', page(() => import('./pages/Sql'), 'Sql')],
];
const NAV: readonly (readonly [string, readonly (readonly [string, IconName, string])[]])[] = [
  ['nav.watch', [['/', 'chart', 'nav.health'], ['/backing', 'scale', 'nav.backing'], ['/bank', 'bank', 'nav.bank'], ['/positions', 'split', 'nav.positions']]],
  ['nav.decide', [['/cases', 'shield', 'nav.cases'], ['/disputes', 'box', 'nav.disputes'], ['/proposals', 'check', 'nav.proposals']]],
  ['nav.look', [['/people', 'people', 'nav.people'], ['/audit', 'list', 'nav.audit'], ['/sql', 'search', 'nav.sql']]],
  ['nav.set', [['/parameters', 'settings', 'nav.parameters'], ['/rules', 'warn', 'nav.rules'], ['/roles', 'key', 'nav.roles']]],
];

export function App() {
  const { state } = useSession();
  return (
    <Look>
      {state === 'out' ? <SignIn /> : state === 'unknown' ? <div className="op-wait" role="status"><Mark size={44} /></div> : <Console />}
      <Confirmation />
    </Look>
  );
}

function Console() {
  const { t } = useWords();
  const place = useHere();
  const path = place.split('?')[0] ?? '/';
  const main = useRef<HTMLElement>(null);
  const [open, setOpen] = useState(false);
  const session = useAsk<{ roles: string[] }>('/v1/session');
  const { person } = useSession();
  const first = useRef(true);
  useEffect(() => {
    setOpen(false);
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [path]);
  useEffect(() => {
    const close = (event: KeyboardEvent) => { if (event.key === 'Escape') setOpen(false); };
    addEventListener('keydown', close);
    return () => removeEventListener('keydown', close);
  }, []);
  const none = session.data && session.data.roles.length === 0;
  return (
    <div className="op" data-open={open}>
      <a className="skip-link" href="#content" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>{t('common.skip')}</a>
      <header className="op-top">
        <button type="button" className="op-burger" aria-expanded={open} aria-controls="nav" aria-label={t('nav.menu')} onClick={() => setOpen(!open)}><Icon name={open ? 'close' : 'list'} /></button>
        <a className="op-brand" href={href('/')}><Mark size={26} />Formicary</a>
      </header>
      <nav id="nav" className="op-nav" aria-label={t('nav.label')}>
        <a className="op-brand op-brand-wide" href={href('/')}><Mark size={28} />Formicary<small>{t('nav.console')}</small></a>
        {NAV.map(([group, items]) => (
          <section key={group}><h2>{t(group)}</h2><ul>{items.map(([to, icon, words]) => <li key={to}><a href={href(to)} aria-current={isHere(path, to) ? 'page' : undefined}><Icon name={icon} size={20} />{t(words)}</a></li>)}</ul></section>
        ))}
        <footer>
          <span className="op-me"><strong>{person?.person.name ?? ''}</strong><small>{session.data?.roles.map((role) => t(`roles.${role}`)).join(' · ')}</small></span>
          <div><Languages /><Looks /></div>
          <button type="button" onClick={() => void signOut()}><Icon name="out" size={18} />{t('common.sign_out')}</button>
        </footer>
      </nav>
      {open ? <button type="button" className="op-veil" tabIndex={-1} aria-hidden="true" onClick={() => setOpen(false)} /> : null}
      <main id="content" ref={main} tabIndex={-1} className="op-main">
        {none ? <div className="op-none"><Icon name="lock" size={40} /><h1>{t('nav.no_role')}</h1><p>{t('nav.no_role_text')}</p></div> : (
          <Suspense fallback={<div className="op-wait" role="status"><Mark size={36} /></div>}><Routed place={place} /></Suspense>
        )}
      </main>
    </div>
  );
}

const isHere = (path: string, to: string) => path === to || (to === '/people' && /^\/(person|account)\//.test(path)) || (to === '/cases' && path.startsWith('/case/')) || (to === '/disputes' && path.startsWith('/dispute/'));

function Routed({ place }: { place: string }) {
  for (const [pattern, Found] of ROUTES) {
    const found = match(pattern, place);
    if (found) return <Found key={place} place={place} found={found} />;
  }
  return null;
}
