import { useMemo, useState } from 'react';
import type { Party } from '../../shared/answers';
import { type Page as Listed, newKey, tell } from '../../shared/api';
import { type Spoken, useWords } from '../../shared/i18n';
import { MoneyInput } from '../../shared/MoneyInput';
import { go, href } from '../../shared/router';
import { say } from '../../shared/say';
import { useSession } from '../../shared/session';
import { useAsk } from '../../shared/useAsk';
import { Parts } from '../parts/Parts';
import { PartyCard } from '../parts/PartyField';
import { ShareLink } from '../parts/ShareLink';
import { Track } from '../parts/Track';
import { type Part, inDays } from '../parts/terms';
import { usePurses } from '../parts/usePurses';
import { Act, Amount, Avatar, Choice, Empty, Field, Notice, Page, Row, Rows, Sheet, Stepper, Tag, Waiting, nameOf } from '../ui';
import { isAccepted } from './Order';

export interface PoolLine {
  pool: string;
  maker: Party;
  asset: string;
  price_minor: number;
  places: number;
  places_min: number;
  places_max: number;
  held_minor: number;
  state: 'open' | 'making' | 'settled' | 'refunded';
  until: string;
  note?: string | null;
}

export interface PoolSeen extends PoolLine {
  my_places: number;
  members: number;
  maker_minor: number;
  may: string[];
  stages: { number: number; weight: number; share_minor: number; label?: string | null; places_for: number; accepted: string }[];
}

const PLACES_MAX = 100_000;
const WAYS = ['open', 'joined', 'mine'] as const;
const tone = (state: string) => (state === 'settled' ? 'good' : state === 'refunded' ? 'plain' : 'warn');

/** How full a pool is, against what it needs and what it takes. */
function Fill({ pool }: { pool: PoolLine }) {
  const { t, number } = useWords();
  const missing = Math.max(0, pool.places_min - pool.places);
  const share = (places: number) => `${Math.min(100, (100 * places) / pool.places_max)}%`;
  const words = missing > 0 ? t('pools.missing', { count: missing, shown: number(missing) }) : t('pools.enough', { count: pool.places_max - pool.places, shown: number(pool.places_max - pool.places) });
  return (
    <div className="fill">
      <p><strong>{t('pools.taken', { count: pool.places, shown: number(pool.places), min: number(pool.places_min) })}</strong></p>
      <div className="meter fill-meter" role="meter" aria-label={t('pools.taken_label')} aria-valuemin={0} aria-valuemax={pool.places_max} aria-valuenow={pool.places} aria-valuetext={t('pools.taken', { count: pool.places, shown: number(pool.places), min: number(pool.places_min) })}>
        <span style={{ width: share(pool.places) }} />
        {pool.places_min < pool.places_max ? <i style={{ left: share(pool.places_min) }} /> : null}
      </div>
      {pool.state === 'open' ? <p className="hint">{words}</p> : null}
    </div>
  );
}

/** Made to order: what others offer to make if enough people want it. */
export function Pools() {
  const { t, date, money, number } = useWords();
  const [which, setWhich] = useState<(typeof WAYS)[number]>('open');
  const { data, ...rest } = useAsk<Listed<PoolLine>>('/v1/escrow/pools', { which, limit: 50 }, { on: ['escrow.'], everyS: 20 });
  return (
    <Page title={t('pools.title')} up="/orders" side={<a className="link" href={href('/pools/new')}>{t('pools.new')}</a>}>
      <p className="quiet">{t('pools.how')}</p>
      <Choice label={t('pools.which')} value={which} onChange={setWhich} options={WAYS.map((one) => [one, t(`pools.${one}`)] as const)} />
      <Waiting {...rest} loading={rest.loading && !data} />
      {data && data.items.length === 0 ? <Empty icon="people" title={t(`pools.none_${which}`)} text={t('pools.none_text')}>{which === 'joined' ? null : <a className="button" href={href('/pools/new')}>{t('pools.new')}</a>}</Empty> : null}
      {data && data.items.length > 0 ? (
        <Rows>
          {data.items.map((pool) => (
            <Row
              key={pool.pool}
              to={`/pool/${pool.pool}`}
              lead={<Avatar party={pool.maker} />}
              title={pool.note || t('pools.by', { name: nameOf(pool.maker, t('common.unknown_person')) })}
              text={pool.state === 'open' ? `${t('pools.taken', { count: pool.places, shown: number(pool.places), min: number(pool.places_min) })} · ${t('pools.until', { at: date(pool.until, { dateStyle: 'medium' }) })}` : nameOf(pool.maker, t('common.unknown_person'))}
              end={<span className="row-money"><span aria-label={t('pools.each', { amount: money(pool.price_minor, pool.asset) })} role="text"><Amount minor={pool.price_minor} asset={pool.asset} /></span><Tag tone={tone(pool.state)}>{t(`pool_states.${pool.state}`)}</Tag></span>}
            />
          ))}
        </Rows>
      ) : null}
    </Page>
  );
}

const countOf = (text: string): number | null => (/^[0-9]{1,6}$/.test(text.trim()) && Number(text) >= 1 && Number(text) <= PLACES_MAX ? Number(text) : null);

export function NewPool() {
  const { t, money } = useWords();
  const { asset, assets, choose } = usePurses();
  const [what, setWhat] = useState('');
  const [minor, setMinor] = useState<number | null>(null);
  const [least, setLeast] = useState('');
  const [most, setMost] = useState('');
  const [days, setDays] = useState('14');
  const [parts, setParts] = useState<Part[]>([]);
  const once = useMemo(() => ({ key: newKey(), until: inDays(Number(days)) }), [what, minor, asset, least, most, days, parts]); // eslint-disable-line react-hooks/exhaustive-deps
  const [min, max] = [countOf(least), most.trim() === '' ? countOf(least) : countOf(most)];
  const crossed = min !== null && max !== null && max < min;
  const wrong = (text: string, count: number | null) => (text.trim() !== '' && count === null ? t('pools.count_wrong') : undefined);
  const open = async () => {
    const stages = (parts.length > 0 ? parts : [{ label: '', weight: 1 }]).map((part) => ({ weight: part.weight, label: part.label.trim() || null }));
    const made = await tell<{ pool: string }>('/v1/escrow/open_pool', { asset, price_minor: minor, places_min: min, places_max: max, until: once.until, stages, note: what.trim() }, { key: once.key });
    go(`/pool/${made.pool}`, { replace: true });
  };
  return (
    <Page title={t('pools.new')} up="/pools">
      <Notice tone="good" icon="shieldOk" title={t('pools.offer_how')}><p>{t('pools.offer_how_text')}</p></Notice>
      <form className="stack" onSubmit={(event) => event.preventDefault()}>
        <Field label={t('pools.what')} value={what} onChange={setWhat} rows={2} maxLength={300} hint={t('pools.what_text')} />
        <MoneyInput label={t('pools.price')} asset={asset} assets={assets} onAsset={choose} value={minor} onChange={setMinor} />
        <div className="pair">
          <Field label={t('pools.least')} value={least} onChange={setLeast} inputMode="numeric" maxLength={6} problem={wrong(least, min)} />
          <Field label={`${t('pools.most')} (${t('common.optional')})`} value={most} onChange={setMost} inputMode="numeric" maxLength={6} problem={crossed ? t('pools.count_crossed') : wrong(most, max)} />
        </div>
        <Choice label={t('pools.fills')} value={days} onChange={setDays} options={['3', '7', '14', '30'].map((one) => [one, t('buy.days', { count: Number(one) })] as const)} />
        <Parts parts={parts} onChange={setParts} minor={minor && min ? minor * min : null} asset={asset} text={t('parts.pool_text')} />
        {minor && min ? <p className="hint">{t('pools.at_least', { amount: money(minor * min, asset) })}</p> : null}
        <Act type="submit" disabled={!minor || !min || !max || crossed || !what.trim()} act={open}>{t('pools.open_it')}</Act>
      </form>
    </Page>
  );
}

/** What happens to the money, in plain words, for how the pool stands and who asks. */
export function wordsOf(pool: PoolSeen, { t, date, money }: Pick<Spoken, 't' | 'date' | 'money'>): { title: string; text: string; tone: 'plain' | 'good' | 'warn' } {
  const mine = money(pool.price_minor * pool.my_places, pool.asset);
  const at = date(pool.until);
  if (pool.state === 'open') return { tone: 'plain', title: t('pools.if_misses'), text: pool.my_places > 0 ? t('pools.if_misses_mine', { at, amount: mine }) : t('pools.if_misses_text', { at }) };
  if (pool.state === 'making') return { tone: 'good', title: t('pools.making_title'), text: t('pools.making_text') };
  if (pool.state === 'refunded') return { tone: 'plain', title: t('pools.refunded_title'), text: pool.my_places > 0 ? t('pools.refunded_mine', { amount: mine }) : t('pools.refunded_text') };
  return { tone: 'good', title: t('pools.settled_title'), text: t('pools.settled_text', { amount: money(pool.maker_minor, pool.asset) }) };
}

export function PoolPage({ found }: { found: Record<string, string> }) {
  const spoken = useWords();
  const { t, date, money, number } = spoken;
  const { person } = useSession();
  const { purses } = usePurses();
  const { data, ...rest } = useAsk<PoolSeen>('/v1/escrow/pool', { pool: found.id ?? '' }, { on: ['escrow.'], everyS: 10 });
  const [wanted, setWanted] = useState(1);
  const [sharing, setSharing] = useState(false);
  const [ending, setEnding] = useState(false);
  if (!data) return <Page title={t('pools.one')} up="/pools"><Waiting {...rest} /></Page>;
  const may = new Set(data.may);
  const making = data.maker.id === person?.person.id;
  const left = data.places_max - data.places;
  const places = Math.max(1, Math.min(wanted, left));
  const price = data.price_minor * places;
  const purse = purses.find((one) => one.asset === data.asset);
  const short = purse === undefined || purse.available_minor < price;
  const told = wordsOf(data, spoken);
  const tellIt = (verb: string, more: object = {}) => async () => {
    await tell(`/v1/escrow/${verb}`, { pool: data.pool, ...more });
    setEnding(false);
    say(t(`pool_done.${verb}`), 'good');
    rest.again();
  };
  return (
    <Page title={data.note || t('pools.one')} up="/pools">
      <div className="moment">
        <p className="moment-amount plain-amount"><Amount minor={data.price_minor} asset={data.asset} /></p>
        <p>{t('pools.a_place')}</p>
        <Tag tone={tone(data.state)}>{t(`pool_states.${data.state}`)}</Tag>
      </div>
      <PartyCard party={data.maker} />
      <section className="card" aria-label={t('pools.taken_label')}><Fill pool={data} /></section>
      <Notice tone={told.tone} icon={data.state === 'open' ? 'shieldOk' : data.state === 'refunded' ? 'back' : 'check'} title={told.title}><p>{told.text}</p></Notice>
      {may.has('join_pool') ? (
        <form className="card" onSubmit={(event) => event.preventDefault()}>
          <div className="part-foot"><span className="row-title">{t('pools.how_many')}</span><Stepper label={t('pools.how_many')} min={1} max={left} value={places} onChange={setWanted} /></div>
          {short ? <p className="wrong">{t('codes.exceeds_funds')}</p> : null}
          <Act type="submit" disabled={short} act={tellIt('join_pool', { places })}>{t('pools.join', { amount: money(price, data.asset) })}</Act>
          <p className="hint">{t('pools.join_text')}</p>
        </form>
      ) : null}
      {data.my_places > 0 ? <p className="quiet">{t('pools.mine_are', { count: data.my_places, shown: number(data.my_places), amount: money(data.price_minor * data.my_places, data.asset) })}</p> : null}
      <dl className="facts">
        <div><dt>{t('pools.fills_by')}</dt><dd>{date(data.until)}</dd></div>
        <div><dt>{t('pools.target')}</dt><dd>{data.places_min === data.places_max ? number(data.places_min) : t('pools.target_range', { min: number(data.places_min), max: number(data.places_max) })}</dd></div>
        <div><dt>{t('pools.members')}</dt><dd>{number(data.members)}</dd></div>
        <div><dt>{t('orders.part_held')}</dt><dd>{money(data.held_minor, data.asset)}</dd></div>
        {data.maker_minor > 0 ? <div><dt>{t('pools.maker_has')}</dt><dd>{money(data.maker_minor, data.asset)}</dd></div> : null}
      </dl>
      <Stages data={data} accept={may.has('accept_pool_milestone') ? (stage) => tellIt('accept_pool_milestone', { number: stage }) : undefined} />
      <div className="stack">
        {may.has('leave_pool') ? <Act fill="outline" act={tellIt('leave_pool')}>{t('pools.leave')}</Act> : null}
        {data.state === 'open' ? <button type="button" className="link" onClick={() => setSharing(true)}>{t('pools.share')}</button> : null}
        {making && may.has('cancel_pool') ? <button type="button" className="link" onClick={() => setEnding(true)}>{t('pools.cancel')}</button> : null}
      </div>
      <Sheet open={sharing} title={t('pools.share')} onClose={() => setSharing(false)}>{sharing ? <ShareLink way={`/pool/${data.pool}`} alt={t('pools.qr')} text={t('pools.share_text')} /> : null}</Sheet>
      <Sheet open={ending} title={t('pools.cancel')} onClose={() => setEnding(false)}><p className="quiet">{t('pools.cancel_text')}</p><Act color="danger" act={tellIt('cancel_pool')}>{t('pools.cancel')}</Act></Sheet>
    </Page>
  );
}

/** The work's parts: each is paid when members with more than half of the places have accepted it. */
function Stages({ data, accept }: { data: PoolSeen; accept?: (stage: number) => () => Promise<void> }) {
  const { t, date, number } = useWords();
  const next = data.stages.find((one) => !isAccepted(one))?.number;
  const all = data.stages.reduce((sum, one) => sum + one.weight, 0);
  const makes = data.state === 'making';
  const words = (one: PoolSeen['stages'][number]) => {
    const share = one.share_minor > 0 ? <Amount minor={one.share_minor} asset={data.asset} /> : t('parts.share_of', { count: one.weight, shown: number(one.weight), all: number(all) });
    if (isAccepted(one)) return <>{share} · {t('orders.paid_at', { at: date(one.accepted) })}</>;
    return makes && one.number === next ? <>{share} · {t('pools.votes', { count: one.places_for, shown: number(one.places_for), all: number(data.places), needed: number(Math.floor(data.places / 2) + 1) })}</> : share;
  };
  return (
    <section className="card" aria-labelledby="stages">
      <h2 id="stages">{t('pools.stages')}</h2>
      <Track
        label={t('pools.stages')}
        stops={data.stages.map((one) => ({
          key: one.number,
          title: one.label || (data.stages.length === 1 ? t('pools.whole') : t('orders.milestone', { number: one.number })),
          text: words(one),
          state: isAccepted(one) ? 'done' : makes && one.number === next ? 'now' : 'later',
          end: makes && one.number === next && accept ? <Act block={false} size="small" act={accept(one.number)}>{t('orders.accept')}</Act> : null,
        }))}
      />
      <p className="hint">{t('pools.stages_text')}</p>
    </section>
  );
}
