import { type ComponentType, Suspense, lazy, useEffect, useRef } from 'react';
import { Look } from '../operator/Look';
import { Languages, Looks } from '../operator/parts/Wishes';
import { useWords } from '../shared/i18n';
import { Mark } from '../shared/icons';
import { href, match, useHere } from '../shared/router';
import { EntryPage, Ledger } from './pages/Ledger';

type Loaded = ComponentType<{ found: Record<string, string> }>;
const Check = lazy(async () => ({ default: (await import('./pages/Check')).Check as Loaded }));
const Backing = lazy(async () => ({ default: (await import('./pages/Backing')).Backing as Loaded }));
const Growth = lazy(async () => ({ default: (await import('./pages/Growth')).Growth as Loaded }));
const ROUTES: readonly (readonly [string, Loaded])[] = [
  ['/', Ledger as Loaded],
  ['/entry/:index', EntryPage as Loaded],
  ['/backing', Backing],
  ['/check', Check],
  ['/growth', Growth],
];
const NAV = [['/', 'nav.ledger'], ['/backing', 'nav.backing'], ['/check', 'nav.check'], ['/growth', 'nav.growth']] as const;

/** What anybody may check of the ledger, without an account and without trusting us. */
export function App() {
  const { t } = useWords();
  const place = useHere();
  const path = place.split('?')[0] ?? '/';
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [path]);
  const found = ROUTES.map(([pattern, Page]) => ({ Page, found: match(pattern, place) })).find((one) => one.found);
  return (
    <Look>
      <div className="ex">
        <a className="skip-link" href="#content" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>{t('common.skip')}</a>
        <header className="ex-top">
          <a className="op-brand" href={href('/')}><Mark size={28} />Formicary</a>
          <nav aria-label={t('nav.label')}>{NAV.map(([to, words]) => <a key={to} href={href(to)} aria-current={path === to || (to === '/' && path.startsWith('/entry/')) ? 'page' : undefined}>{t(words)}</a>)}</nav>
          <div className="ex-wishes"><Languages /><Looks /></div>
        </header>
        <main id="content" ref={main} tabIndex={-1} className="ex-main">
          <Suspense fallback={<div className="op-wait" role="status"><Mark size={36} /></div>}>{found?.found ? <found.Page key={path} found={found.found} /> : null}</Suspense>
        </main>
      </div>
    </Look>
  );
}
