import { useEffect, useState } from 'react';
import type { Activity } from '../../shared/answers';
import type { Page as Listed } from '../../shared/api';
import { useEvents } from '../../shared/events';
import { useWords } from '../../shared/i18n';
import { Icon, type IconName, Mark, Tunnels } from '../../shared/icons';
import { href } from '../../shared/router';
import { say } from '../../shared/say';
import { useSession } from '../../shared/session';
import { useAsk } from '../../shared/useAsk';
import { Movement } from '../parts/movements';
import { usePurses } from '../parts/usePurses';
import { Amount, Empty, Notice, Rows, Waiting } from '../ui';

const ACTIONS: readonly (readonly [string, IconName, string])[] = [
  ['/send', 'send', 'actions.send'],
  ['/ask', 'ask', 'actions.ask'],
  ['/code', 'code', 'actions.code'],
  ['/top-up', 'topUp', 'actions.top_up'],
  ['/split', 'split', 'actions.split'],
  ['/packets', 'packet', 'actions.packet'],
  ['/buy', 'shieldOk', 'actions.buy'],
  ['/standing', 'repeat', 'actions.standing'],
];
const LIVE = ['pay.', 'bank.', 'shop.', 'escrow.', 'guard.', 'clearing.'];

export function Home() {
  const { t, money } = useWords();
  const { person, profile } = useSession();
  const { purses, purse, choose, loading, problem, again } = usePurses();
  const activity = useAsk<Listed<Activity>>('/v1/pay/activity', { limit: 8 }, { on: LIVE });
  const holds = useAsk<Listed<{ payment: string }>>('/v1/guard/holds', undefined, { on: ['guard.'] });
  const requests = useAsk<Listed<{ request: string }>>('/v1/pay/requests', { direction: 'in' }, { on: ['pay.'] });
  const [hidden, setHidden] = useState(() => { try { return localStorage.getItem('formicary.hidden') === '1'; } catch { return false; } });
  useEffect(() => { document.title = 'Formicary'; }, []);
  useEvents(['pay.payment_made', 'clearing.in_moved'], ({ name, data }) => {
    const across = name === 'clearing.in_moved' && data.state === 'captured';
    const payee = data.payee as { id?: string } | string | undefined;
    const to = typeof payee === 'string' ? payee : payee?.id;
    const mine = to === person?.person.id && data.state === 'paid';
    if ((mine || across) && typeof data.amount_minor === 'number' && typeof data.asset === 'string') say(t('home.received', { amount: money(data.amount_minor, data.asset) }), 'good');
  });
  const hide = () => {
    setHidden(!hidden);
    try { localStorage.setItem('formicary.hidden', hidden ? '0' : '1'); } catch { /* private mode */ }
  };
  const name = (profile?.name ?? person?.person.name ?? '').split(/\s+/)[0];
  const held = holds.data?.items.length ?? 0;
  const asked = requests.data?.items.length ?? 0;
  return (
    <div className="page home">
      <header className="home-head">
        <span className="home-mark"><Mark size={30} /></span>
        <h1>{name ? t('home.hello', { name }) : 'Formicary'}</h1>
        <a className="round-button" href={href('/safety')} aria-label={t('actions.safety')}><Icon name="shield" size={22} /></a>
      </header>
      {person?.state === 'frozen' && <a className="plain-link" href={href('/safety')}><Notice tone="warn" icon="snow" title={t('safety.frozen')}><p>{t('safety.frozen_text')}</p></Notice></a>}
      <section className="hero" aria-label={t('home.balance')}>
        <Tunnels className="hero-tunnels" />
        <div className="hero-top">
          <span>{t('home.balance')}</span>
          <button type="button" className="hero-eye" aria-pressed={hidden} aria-label={t('home.hide')} onClick={hide}><Icon name={hidden ? 'eyeOff' : 'eye'} size={20} /></button>
        </div>
        {purse ? (
          <>
            <p className="hero-amount" aria-live="polite">{hidden ? '••••' : <Amount minor={purse.available_minor} asset={purse.asset} />}</p>
            {!hidden && purse.held_minor > 0 ? <p className="hero-held"><Icon name="clock" size={16} /> {t('home.held', { amount: money(purse.held_minor, purse.asset) })}</p> : null}
          </>
        ) : (
          <p className="hero-amount hero-blank" aria-hidden="true">···</p>
        )}
        <div className="hero-foot" role="group" aria-label={t('money.currency')}>
          {purses.map((one) => (
            <button key={one.asset} type="button" aria-pressed={one.asset === purse?.asset} onClick={() => choose(one.asset)}>
              {one.asset}{!hidden && one.asset !== purse?.asset ? <small> {money(one.available_minor, one.asset, { bare: true })}</small> : null}
            </button>
          ))}
          <a href={href('/you')} aria-label={t('home.add_currency')}><Icon name="plus" size={18} /></a>
        </div>
      </section>
      {!purse && <Waiting loading={loading} problem={problem} again={again} />}
      <nav className="actions" aria-label={t('home.actions')}>
        {ACTIONS.map(([to, icon, words]) => (
          <a key={to} href={href(to)}><span className="action-icon"><Icon name={icon} size={25} /></span><span>{t(words)}</span></a>
        ))}
      </nav>
      {purse ? <Backed asset={purse.asset} /> : null}
      <div className="home-side">
        {held > 0 && <a className="plain-link" href={href('/safety')}><Notice tone="warn" icon="shield" title={t('home.holds', { count: held })}><p>{t('home.holds_text')}</p></Notice></a>}
        {asked > 0 && <a className="plain-link" href={href('/requests')}><Notice icon="ask" title={t('home.requests', { count: asked })}><p>{t('home.requests_text')}</p></Notice></a>}
        {activity.data && activity.data.items.length === 0 ? (
          <Empty icon="topUp" title={t('home.empty')} text={t('home.empty_text')}><a className="button" href={href('/top-up')}>{t('actions.top_up')}</a></Empty>
        ) : activity.data ? (
          <Rows title={t('home.latest')} side={<a className="link" href={href('/activity')}>{t('common.all')}</a>}>
            {activity.data.items.map((item) => <Movement key={item.payment + item.direction} item={item} />)}
          </Rows>
        ) : (
          <Waiting {...activity} />
        )}
      </div>
    </div>
  );
}

interface Backing {
  items: { asset: string; backed: boolean; customers_minor: number }[];
}

/** Says whether all customers' money of a currency lies at banks; anyone can check it in the explorer. */
function Backed({ asset }: { asset: string }) {
  const { t } = useWords();
  const { data } = useAsk<Backing>('/v1/bank/backing', undefined, { everyS: 300 });
  const one = data?.items.find((item) => item.asset === asset);
  if (!one?.backed) return null;
  return (
    <a className="backed" href="/explorer#/backing">
      <Icon name="bank" size={26} />
      <span><strong>{t('home.backed', { asset })}</strong>{t('home.backed_text')}</span>
    </a>
  );
}
