import { useState } from 'react';
import type { Party, Sent } from '../../shared/answers';
import { type Page as Listed, tell } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';
import { MoneyInput } from '../../shared/MoneyInput';
import { go } from '../../shared/router';
import { say, sayProblem } from '../../shared/say';
import { useSession } from '../../shared/session';
import { useAsk } from '../../shared/useAsk';
import { Outcome } from '../parts/Outcome';
import { PartyCard, PartyField, findParty } from '../parts/PartyField';
import { divide, inDays } from '../parts/terms';
import { usePurses } from '../parts/usePurses';
import { Act, Amount, Avatar, Choice, Empty, Field, Notice, Page, Row, Rows, Sheet, Stepper, Tag, Waiting, copy, nameOf } from '../ui';
import { PURPOSES, type Purpose } from './Send';

interface Asked {
  request: string;
  payee: Party;
  payer: Party;
  asset: string;
  amount_minor: number;
  purpose: Purpose;
  note?: string | null;
  made: string;
  until: string;
  state: string;
}

/** Ask somebody for money. */
export function Ask({ found }: { found: Record<string, string> }) {
  const { t } = useWords();
  const { asset, choose, assets } = usePurses();
  const [party, setParty] = useState<Party>();
  const [minor, setMinor] = useState<number | null>(null);
  const [note, setNote] = useState('');
  const [purpose, setPurpose] = useState<Purpose | ''>('friend');
  const given = found.to;
  if (given && !party) void findParty(given).then(setParty).catch(() => go('/ask', { replace: true }));
  const ask = async () => {
    await tell('/v1/pay/ask', { payer: party?.id, asset, amount_minor: minor, purpose, note: note.trim() || null, until: inDays(30) });
    say(t('ask.asked', { name: nameOf(party, t('common.unknown_person')) }), 'good');
    go('/requests', { replace: true });
  };
  return (
    <Page title={t('ask.title')}>
      {party ? (
        <form className="stack" onSubmit={(event) => event.preventDefault()}>
          <PartyCard party={party} onChange={() => setParty(undefined)} />
          <MoneyInput label={t('send.amount')} asset={asset} assets={assets} onAsset={choose} value={minor} onChange={setMinor} autoFocus />
          <Choice label={t('ask.purpose')} value={purpose} onChange={setPurpose} options={PURPOSES.filter((one) => one !== 'fee_for_money').map((one) => [one, t(`purposes.${one}`)] as const)} />
          <Field label={`${t('send.note')} (${t('common.optional')})`} value={note} onChange={setNote} maxLength={200} />
          <Act type="submit" disabled={!minor || purpose === ''} act={ask}>{t('ask.send')}</Act>
        </form>
      ) : (
        <PartyField label={t('ask.who')} onFound={setParty} people />
      )}
    </Page>
  );
}

/** What others ask of me, and I of others. */
export function Requests() {
  const { t } = useWords();
  const [side, setSide] = useState<'in' | 'out'>('in');
  const { data, ...rest } = useAsk<Listed<Asked>>('/v1/pay/requests', { direction: side }, { on: ['pay.'] });
  return (
    <Page title={t('requests.title')} side={<a className="link" href="#/ask">{t('actions.ask')}</a>}>
      <Choice label={t('requests.whose')} value={side} onChange={setSide} options={[['in', t('requests.in')], ['out', t('requests.out')]]} />
      <Waiting {...rest} loading={rest.loading && !data} />
      {data && data.items.length === 0 ? <Empty icon="ask" title={t('requests.none')} /> : null}
      {data && data.items.length > 0 ? (
        <Rows>
          {data.items.map((item) => {
            const other = side === 'in' ? item.payee : item.payer;
            return <Row key={item.request} to={`/request/${item.request}`} lead={<Avatar party={other} />} title={nameOf(other, t('common.unknown_person'))} text={item.note || t(`purposes.${item.purpose}`)} end={<Amount minor={item.amount_minor} asset={item.asset} />} />;
          })}
        </Rows>
      ) : null}
    </Page>
  );
}

export function RequestPage({ found }: { found: Record<string, string> }) {
  const { t, date, money } = useWords();
  const { person } = useSession();
  const { data, ...rest } = useAsk<Asked>('/v1/pay/request', { request: found.id ?? '' }, { on: ['pay.'] });
  const [sent, setSent] = useState<Sent>();
  if (!data) return <Page title={t('requests.one')}><Waiting {...rest} /></Page>;
  if (sent) return <Outcome sent={sent} party={data.payee} minor={data.amount_minor} asset={data.asset} />;
  const mine = data.payee.id === person?.person.id;
  const other = mine ? data.payer : data.payee;
  const end = (verb: string) => async () => {
    await tell(`/v1/pay/${verb}`, { request: data.request });
    rest.again();
  };
  return (
    <Page title={t('requests.one')} up="/requests">
      <PartyCard party={other} />
      <div className="moment"><p className="moment-amount plain-amount"><Amount minor={data.amount_minor} asset={data.asset} /></p></div>
      <dl className="facts">
        <div><dt>{t('send.purpose_short')}</dt><dd>{t(`purposes.${data.purpose}`)}</dd></div>
        {data.note ? <div><dt>{t('send.note')}</dt><dd>{data.note}</dd></div> : null}
        <div><dt>{t('requests.until')}</dt><dd>{date(data.until)}</dd></div>
        {data.state !== 'open' ? <div><dt>{t('payment.state')}</dt><dd><Tag>{t(`request_states.${data.state}`)}</Tag></dd></div> : null}
      </dl>
      {data.state === 'open' && mine ? <Act fill="outline" act={end('withdraw_request')}>{t('requests.withdraw')}</Act> : null}
      {data.state === 'open' && !mine ? (
        <div className="stack">
          <Act act={async () => setSent(await tell<Sent>('/v1/pay/accept_request', { request: data.request }))}>{t('send.pay', { amount: money(data.amount_minor, data.asset), name: nameOf(other, t('common.unknown_person')) })}</Act>
          <Act fill="outline" act={end('decline_request')}>{t('requests.decline')}</Act>
        </div>
      ) : null}
    </Page>
  );
}

/** A bill among several, by weight; each other one is asked for their share. */
export function Split() {
  const { t, number } = useWords();
  const { person, profile } = useSession();
  const { asset, choose, assets } = usePurses();
  const me: Party = { id: person?.person.id ?? '', name: profile?.name ?? '', kind: 'person' };
  const [shares, setShares] = useState<{ party: Party; weight: number }[]>([{ party: me, weight: 1 }]);
  const [minor, setMinor] = useState<number | null>(null);
  const [note, setNote] = useState('');
  const [adding, setAdding] = useState(false);
  const all = shares.reduce((sum, share) => sum + share.weight, 0);
  const parts = divide(minor ?? 0, shares.map((share) => share.weight));
  const add = (party: Party) => {
    setShares((now) => (now.some((share) => share.party.id === party.id) ? now : [...now, { party, weight: 1 }]));
    setAdding(false);
  };
  const split = async () => {
    await tell('/v1/pay/split', { asset, total_minor: minor, note: note.trim() || null, shares: shares.filter((share) => share.weight > 0).map((share) => ({ party: share.party.id, weight: share.weight })) });
    say(t('split.asked', { count: shares.length - 1 }), 'good');
    go('/requests', { replace: true });
  };
  return (
    <Page title={t('split.title')}>
      <form className="stack" onSubmit={(event) => event.preventDefault()}>
        <MoneyInput label={t('split.total')} asset={asset} assets={assets} onAsset={choose} value={minor} onChange={setMinor} />
        <Rows title={t('split.who')} side={<button type="button" className="link" onClick={() => setAdding(true)}>{t('common.add')}</button>}>
          {shares.map((share, index) => (
            <Row
              key={share.party.id || index}
              lead={<Avatar party={share.party} />}
              title={share.party.id === me.id ? t('split.me') : nameOf(share.party, t('common.unknown_person'))}
              text={minor ? <Amount minor={parts[index] ?? 0} asset={asset} /> : t('split.share', { count: share.weight, shown: number(share.weight), all: number(all) })}
              end={<Stepper label={t('split.weight')} min={share.party.id === me.id ? 0 : 1} max={20} value={share.weight} onChange={(weight) => setShares((now) => now.map((one, at) => (at === index ? { ...one, weight } : one)))} />}
            />
          ))}
        </Rows>
        <Field label={`${t('send.note')} (${t('common.optional')})`} value={note} onChange={setNote} maxLength={200} />
        <Act type="submit" disabled={!minor || shares.length < 2} act={split}>{t('split.send')}</Act>
      </form>
      <Sheet open={adding} title={t('split.add')} onClose={() => setAdding(false)}><PartyField label={t('split.add_who')} onFound={add} /></Sheet>
    </Page>
  );
}

interface Packet {
  packet: string;
  giver: Party;
  asset: string;
  total_minor: number;
  rest_minor?: number | null;
  shares: number;
  opened: number;
  how: 'equal' | 'drawn';
  note?: string | null;
  until: string;
  state: string;
  mine_minor: number;
  openings: { party: Party; amount_minor: number }[];
}

export function Packets() {
  const { t, number } = useWords();
  const [side, setSide] = useState<'in' | 'out' | 'give'>('give');
  const { data, ...rest } = useAsk<Listed<Packet>>(side === 'give' ? null : '/v1/pay/packets', { direction: side }, { on: ['pay.'] });
  return (
    <Page title={t('packet.title')}>
      <Choice label={t('packet.whose')} value={side} onChange={setSide} options={[['give', t('packet.give')], ['in', t('packet.in')], ['out', t('packet.out')]]} />
      {side === 'give' ? <Give /> : <Waiting {...rest} loading={rest.loading && !data} />}
      {data && data.items.length === 0 ? <Empty icon="packet" title={t('packet.none')} /> : null}
      {data && data.items.length > 0 ? (
        <Rows>
          {data.items.map((item) => <Row key={item.packet} to={`/packet/${item.packet}`} lead={<Avatar party={item.giver} />} title={item.note || t('packet.from', { name: nameOf(item.giver, t('common.unknown_person')) })} text={t('packet.opened', { count: item.opened, shown: number(item.opened), all: number(item.shares) })} end={<Amount minor={item.total_minor} asset={item.asset} />} />)}
        </Rows>
      ) : null}
    </Page>
  );
}

function Give() {
  const { t, money } = useWords();
  const { asset, choose, assets, purse } = usePurses();
  const [minor, setMinor] = useState<number | null>(null);
  const [count, setCount] = useState(5);
  const [how, setHow] = useState<'equal' | 'drawn'>('drawn');
  const [note, setNote] = useState('');
  const give = async () => {
    const made = await tell<{ packet: string }>('/v1/pay/give', { asset, total_minor: minor, count, how, until: inDays(1), note: note.trim() || null, recipients: [] });
    go(`/packet/${made.packet}`);
  };
  return (
    <form className="stack" onSubmit={(event) => event.preventDefault()}>
      <p className="quiet">{t('packet.text')}</p>
      <MoneyInput label={t('packet.total')} asset={asset} assets={assets} onAsset={choose} value={minor} onChange={setMinor} hint={purse ? t('send.available', { amount: money(purse.available_minor, asset) }) : ''} />
      <Rows><Row title={t('packet.count')} text={t('packet.count_text')} end={<Stepper label={t('packet.count')} min={1} max={100} value={count} onChange={setCount} />} /></Rows>
      <Choice label={t('packet.how')} value={how} onChange={setHow} options={[['drawn', t('packet.drawn')], ['equal', t('packet.equal')]]} />
      <Field label={`${t('packet.wish')} (${t('common.optional')})`} value={note} onChange={setNote} maxLength={120} />
      <Act type="submit" disabled={!minor || minor < count} act={give}>{t('packet.wrap')}</Act>
    </form>
  );
}

export function PacketPage({ found }: { found: Record<string, string> }) {
  const { t, date, number } = useWords();
  const { person } = useSession();
  const { data, ...rest } = useAsk<Packet>('/v1/pay/packet', { packet: found.id ?? '' }, { on: ['pay.'] });
  if (!data) return <Page title={t('packet.one')} up="/packets"><Waiting {...rest} /></Page>;
  const mine = data.giver.id === person?.person.id;
  const openable = !mine && data.state === 'open' && data.mine_minor === 0;
  const link = `${location.origin}/#/packet/${data.packet}`;
  const share = async () => {
    if (navigator.share) await navigator.share({ url: link }).catch(() => undefined);
    else if (await copy(link)) say(t('common.copied'), 'good');
  };
  const open = async () => {
    const got = await tell<{ amount_minor: number; state: string }>('/v1/pay/open_packet', { packet: data.packet });
    if (got.state === 'held') say(t('held.title'));
    rest.again();
  };
  return (
    <Page title={t('packet.one')} up="/packets">
      <section className="packet" aria-live="polite">
        <p>{t('packet.from', { name: nameOf(data.giver, t('common.unknown_person')) })}</p>
        {data.note ? <h2>{data.note}</h2> : null}
        {openable ? <button type="button" className="packet-seal" aria-label={t('packet.open')} onClick={() => void open().catch(sayProblem)}><Icon name="packet" size={40} /></button> : <p className="packet-amount plain-amount"><Amount minor={data.mine_minor > 0 ? data.mine_minor : data.total_minor} asset={data.asset} /></p>}
        <p>{t('packet.opened', { count: data.opened, shown: number(data.opened), all: number(data.shares) })}</p>
      </section>
      {data.state === 'open' && mine ? <><div className="my-code card"><div className="qr-plate"><img src={`/v1/qr?text=${encodeURIComponent(link)}`} width="220" height="220" alt={t('packet.qr')} /></div><p className="quiet">{t('packet.share_text', { at: date(data.until) })}</p><Act act={share}>{t('common.share')}</Act></div></> : null}
      {data.state !== 'open' && !mine && data.mine_minor === 0 ? <Notice icon="info"><p>{t('packet.gone')}</p></Notice> : null}
      {data.openings.length > 0 ? <Rows title={t('packet.openers')}>{data.openings.map((opening) => <Row key={opening.party.id} lead={<Avatar party={opening.party} />} title={nameOf(opening.party, t('common.unknown_person'))} end={<Amount minor={opening.amount_minor} asset={data.asset} />} />)}</Rows> : null}
    </Page>
  );
}
