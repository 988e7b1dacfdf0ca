import { useState } from 'react';
import type { Party } from '../../shared/answers';
import { type Page as Listed, tell } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { MoneyInput } from '../../shared/MoneyInput';
import { makePasskey, passkeysWork } from '../../shared/passkey';
import { say, sayProblem } from '../../shared/say';
import { readSession, useSession } from '../../shared/session';
import { useAsk } from '../../shared/useAsk';
import { PartyField } from '../parts/PartyField';
import { usePurses } from '../parts/usePurses';
import { Act, Amount, Avatar, Choice, Field, Notice, Page, Row, Rows, Sheet, Tag, Waiting, nameOf } from '../ui';
import type { Hold } from './History';

/** Everything that keeps money and data safe, in one place. */
export function Safety() {
  const { t, date } = useWords();
  const { person } = useSession();
  const holds = useAsk<Listed<Hold>>('/v1/guard/holds', { direction: 'out' }, { on: ['guard.'] });
  const coming = useAsk<Listed<Hold>>('/v1/guard/holds', { direction: 'in' }, { on: ['guard.'] });
  const [sure, setSure] = useState(false);
  const frozen = person?.state === 'frozen';
  const all = [...(holds.data?.items ?? []), ...(coming.data?.items ?? [])];
  const freeze = async () => {
    await tell(frozen ? '/v1/wallet/unfreeze' : '/v1/wallet/freeze');
    await readSession();
    setSure(false);
    say(t(frozen ? 'safety.unfrozen' : 'safety.frozen'), 'good');
  };
  return (
    <Page title={t('safety.title')} up="/you">
      {frozen ? <Notice tone="warn" icon="snow" title={t('safety.frozen')}><p>{t('safety.frozen_text')}</p></Notice> : all.length === 0 ? <Notice tone="good" icon="shieldOk" title={t('safety.well')}><p>{t('safety.well_text')}</p></Notice> : null}
      {all.length > 0 ? (
        <Rows title={t('safety.holds')}>
          {all.map((hold) => <Row key={hold.payment} to={`/payment/${hold.payment}`} lead={<Avatar party={hold.other} />} title={nameOf(hold.other, t('common.unknown_person'))} text={hold.until ? t('safety.until', { at: date(hold.until) }) : t('states.held')} end={<span className="row-money"><Amount minor={hold.direction === 'in' ? hold.amount_minor : -hold.amount_minor} asset={hold.asset} sign /><Tag tone="warn">{t('states.held')}</Tag></span>} />)}
        </Rows>
      ) : null}
      <Rows title={t('safety.yours')}>
        <Row to="/safety/limits" icon="scale" title={t('limits.title')} text={t('limits.short')} />
        <Row to="/safety/devices" icon="device" title={t('devices.title')} text={t('devices.short')} />
        <Row to="/safety/trusted" icon="heart" title={t('trusted.title')} text={t('trusted.short')} />
        <Row to="/safety/data" icon="eye" title={t('data.title')} text={t('data.short')} />
      </Rows>
      {frozen ? <Act act={freeze}>{t('safety.unfreeze')}</Act> : <Act color="danger" fill="outline" act={async () => setSure(true)}>{t('safety.freeze')}</Act>}
      <Sheet open={sure} title={t('safety.freeze')} onClose={() => setSure(false)}>
        <p className="quiet">{t('safety.freeze_text')}</p>
        <Act color="danger" act={freeze}>{t('safety.freeze_now')}</Act>
      </Sheet>
    </Page>
  );
}

interface LimitsTold {
  tier: number;
  payment_minor: number;
  day_minor: number;
  year_minor: number;
  balance_minor: number;
  own_payment_minor: number;
  own_day_minor: number;
  raise?: string | null;
  spent_day_minor: number;
  spent_year_minor: number;
}

export function Limits() {
  const { t, money, date, number } = useWords();
  const { asset, assets, choose } = usePurses();
  const { data, ...rest } = useAsk<LimitsTold>('/v1/wallet/limits', { asset }, { on: ['wallet.', 'pay.'] });
  const [payment, setPayment] = useState<number | null | undefined>();
  const [day, setDay] = useState<number | null | undefined>();
  const shown = (minor: number) => (minor > 0 ? money(minor, asset) : t('limits.none'));
  const whole = data ? (data.own_day_minor > 0 ? data.own_day_minor : data.day_minor) : 0;
  const part = whole > 0 && data ? Math.min(1, data.spent_day_minor / whole) : 0;
  return (
    <Page title={t('limits.title')} up="/safety">
      {assets.length > 1 ? <Choice label={t('money.currency')} value={asset} onChange={(next) => { choose(next); setPayment(undefined); setDay(undefined); }} options={assets.map((one) => [one, one] as const)} /> : null}
      <Waiting {...rest} loading={rest.loading && !data} />
      {data ? (
        <>
          <section className="card">
            <h2>{t('limits.today')}</h2>
            <p>{t('limits.spent', { spent: money(data.spent_day_minor, asset), all: shown(whole) })}</p>
            <div className="meter" role="meter" aria-label={t('limits.today')} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(part * 100)} aria-valuetext={number(part, { style: 'percent' })}><span style={{ width: `${part * 100}%` }} /></div>
          </section>
          <section className="stack">
            <h2>{t('limits.own')}</h2>
            <p className="quiet">{t('limits.own_text')}</p>
            <MoneyInput label={t('limits.payment')} asset={asset} value={payment === undefined ? data.own_payment_minor || null : payment} onChange={setPayment} />
            <MoneyInput label={t('limits.day')} asset={asset} value={day === undefined ? data.own_day_minor || null : day} onChange={setDay} />
            {data.raise ? <Notice icon="clock"><p>{t('limits.raise', { at: date(data.raise) })}</p></Notice> : null}
            <Act act={async () => { await tell('/v1/wallet/set_own_limit', { asset, payment_minor: (payment === undefined ? data.own_payment_minor : payment) ?? 0, day_minor: (day === undefined ? data.own_day_minor : day) ?? 0 }); say(t('limits.saved'), 'good'); rest.again(); }}>{t('common.save')}</Act>
          </section>
          <section className="stack">
            <h2>{t('limits.tier', { tier: data.tier })}</h2>
            <dl className="facts">
              <div><dt>{t('limits.payment')}</dt><dd>{shown(data.payment_minor)}</dd></div>
              <div><dt>{t('limits.day')}</dt><dd>{shown(data.day_minor)}</dd></div>
              <div><dt>{t('limits.year')}</dt><dd>{shown(data.year_minor)}</dd></div>
              <div><dt>{t('limits.balance')}</dt><dd>{shown(data.balance_minor)}</dd></div>
            </dl>
          </section>
        </>
      ) : null}
    </Page>
  );
}

interface Device {
  device: string;
  kind: 'passkey' | 'pin';
  label?: string | null;
  added: string;
}

interface SessionTold {
  name: string;
  browser: string;
  used: string;
  current: boolean;
}

export function Devices() {
  const { t, date, moment } = useWords();
  const { data, ...rest } = useAsk<{ items: Device[] }>('/v1/wallet/devices', undefined, { on: ['wallet.'] });
  const sessions = useAsk<{ items: SessionTold[] }>('/v1/sessions');
  const [adding, setAdding] = useState(false);
  const [pin, setPin] = useState('');
  const add = (byPin: boolean) => async () => {
    const begun = await tell<{ options: unknown; ticket: string }>('/v1/devices/begin');
    const proof = byPin ? { pin } : { credential: await makePasskey(begun.options) };
    await tell('/v1/devices/finish', { ticket: begun.ticket, ...proof });
    setAdding(false);
    setPin('');
    say(t('devices.added_now'), 'good');
    rest.again();
  };
  return (
    <Page title={t('devices.title')} up="/safety" side={<button type="button" className="link" onClick={() => setAdding(true)}>{t('common.add')}</button>}>
      <Waiting {...rest} loading={rest.loading && !data} />
      {data ? (
        <Rows title={t('devices.keys')}>
          {data.items.map((device) => (
            <Row key={device.device} icon={device.kind === 'pin' ? 'lock' : 'key'} title={device.label || t(`devices.${device.kind}`)} text={t('devices.added', { at: date(device.added, { dateStyle: 'medium' }) })} end={data.items.length > 1 ? <Act block={false} size="small" fill="outline" color="danger" act={async () => { await tell('/v1/wallet/remove_device', { device: device.device }); rest.again(); }}>{t('common.remove')}</Act> : null} />
          ))}
        </Rows>
      ) : null}
      {sessions.data ? (
        <Rows title={t('devices.sessions')}>
          {sessions.data.items.map((one) => <Row key={one.name} icon="globe" title={one.browser === 'other' || !one.browser ? t('devices.browser') : one.browser} text={moment(one.used)} end={one.current ? <Tag tone="good">{t('devices.this')}</Tag> : <Act block={false} size="small" fill="outline" act={async () => { await tell(`/v1/sessions/${one.name}`, {}, { method: 'DELETE' }); sessions.again(); }}>{t('devices.end')}</Act>} />)}
        </Rows>
      ) : null}
      <Sheet open={adding} title={t('devices.add')} onClose={() => setAdding(false)}>
        {passkeysWork() ? <Act act={add(false)}>{t('devices.add_passkey')}</Act> : null}
        <form className="stack" onSubmit={(event) => event.preventDefault()}>
          <Field label={t('welcome.pin')} value={pin} onChange={(value) => setPin(value.replace(/\D/g, ''))} type="password" inputMode="numeric" autoComplete="new-password" hint={t('codes.pin_weak')} maxLength={12} />
          <Act type="submit" fill="outline" disabled={pin.length < 6} act={add(true)}>{t('devices.add_pin')}</Act>
        </form>
      </Sheet>
    </Page>
  );
}

interface TrustedTold {
  items: { person: Party; since: string }[];
  trusted_by: { person: Party; since: string }[];
}

interface Recovery {
  recovery: string;
  person: Party;
  state: string;
  due?: string | null;
  vouched: number;
  needed: number;
  vouched_by_me: boolean;
}

export function Trusted() {
  const { t, date } = useWords();
  const { data, ...rest } = useAsk<TrustedTold>('/v1/wallet/trusted', undefined, { on: ['wallet.'] });
  const recoveries = useAsk<{ items: Recovery[]; to_vouch: Recovery[] }>('/v1/wallet/recoveries', undefined, { on: ['wallet.'] });
  const running = (recoveries.data?.items ?? []).filter(({ state }) => state === 'asked' || state === 'approved');
  const [adding, setAdding] = useState(false);
  const add = async (person: Party) => {
    await tell('/v1/wallet/trust', { person: person.id });
    setAdding(false);
    rest.again();
  };
  return (
    <Page title={t('trusted.title')} up="/safety" side={<button type="button" className="link" onClick={() => setAdding(true)}>{t('common.add')}</button>}>
      <p className="quiet">{t('trusted.text')}</p>
      {running.map((one) => (
        <Notice key={one.recovery} tone="bad" icon="warn" title={t('recover.running')}>
          <p>{t(one.state === 'approved' ? 'recover.running_text' : 'recover.waiting_text', { at: one.due ? date(one.due) : '…' })}</p>
          <Act color="danger" act={async () => { await tell('/v1/wallet/cancel_recovery', { recovery: one.recovery }); recoveries.again(); }}>{t('recover.stop')}</Act>
        </Notice>
      ))}
      {(recoveries.data?.to_vouch ?? []).map((one) => (
        <Notice key={one.recovery} tone="warn" icon="people" title={t('recover.vouch', { name: nameOf(one.person, t('common.unknown_person')) })}>
          <p>{t('recover.vouch_text')}</p>
          <p>{t('recover.vouched', { count: one.vouched, needed: one.needed })}</p>
          {one.vouched_by_me ? null : <Act act={async () => { await tell('/v1/wallet/approve_recovery', { recovery: one.recovery }); recoveries.again(); }}>{t('recover.approve')}</Act>}
        </Notice>
      ))}
      <Waiting {...rest} loading={rest.loading && !data} />
      {data && data.items.length > 0 ? <Rows title={t('trusted.mine')}>{data.items.map((one) => <Row key={one.person.id} lead={<Avatar party={one.person} />} title={nameOf(one.person, t('common.unknown_person'))} text={date(one.since, { dateStyle: 'medium' })} end={<Act block={false} size="small" fill="outline" act={async () => { await tell('/v1/wallet/untrust', { person: one.person.id }); rest.again(); }}>{t('common.remove')}</Act>} />)}</Rows> : null}
      {data && data.items.length === 0 ? <Notice tone="warn" icon="heart" title={t('trusted.none')}><p>{t('trusted.none_text')}</p></Notice> : null}
      {data && data.trusted_by.length > 0 ? <Rows title={t('trusted.by')}>{data.trusted_by.map((one) => <Row key={one.person.id} lead={<Avatar party={one.person} />} title={nameOf(one.person, t('common.unknown_person'))} />)}</Rows> : null}
      <Sheet open={adding} title={t('trusted.add')} onClose={() => setAdding(false)}><PartyField people label={t('trusted.who')} onFound={(party) => void add(party).catch(sayProblem)} /></Sheet>
    </Page>
  );
}
