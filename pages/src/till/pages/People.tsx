import { useState } from 'react';
import { type Page as PageOf, ask, tell } from '../../shared/api';
import type { Party } from '../../shared/answers';
import { useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';
import { MoneyInput } from '../../shared/MoneyInput';
import { say } from '../../shared/say';
import { useSession } from '../../shared/session';
import { useAsk } from '../../shared/useAsk';
import { type Drawn, MAY, type Role, type StaffLine } from '../answers';
import { useShop } from '../here';
import { Act, Avatar, Choice, Empty, Field, Notice, Page, Row, Rows, Sheet, Tag, Waiting, copy, nameOf, pictureOf } from '../kit';
import { choosePlace, usePlace } from '../place';

const ROLES: readonly Role[] = ['cashier', 'manager', 'owner'];

/** Who works here, and what each may do. */
export function StaffPage() {
  const { t, date } = useWords();
  const { role } = useShop();
  const { shop } = usePlace();
  const { person } = useSession();
  const { data, problem, loading, again } = useAsk<PageOf<StaffLine>>('/v1/shop/staff', { shop, limit: 100 });
  const [alias, setAlias] = useState('');
  const [hired, setHired] = useState<Party>();
  const [as, setAs] = useState<Role>('cashier');
  const [open, setOpen] = useState<StaffLine>();
  const may = ROLES.filter((one) => MAY.own(role) || one === 'cashier');
  const give = async (who: string, what: Role) => {
    await tell('/v1/shop/add_staff', { shop, person: who, role: what });
    say(t('staff.changed'), 'good');
    setHired(undefined);
    setAlias('');
    setOpen(undefined);
    again();
  };
  return (
    <Page title={t('staff.title')} up="/more">
      {data ? (
        <Rows>
          {data.items.map((one) => (
            <Row key={one.person.id} onClick={() => { setAs(one.role); setOpen(one); }} lead={<Avatar party={one.person} />} title={`${nameOf(one.person, t('common.unknown_person'))}${one.person.id === person?.person.id ? ` (${t('staff.you')})` : ''}`} text={t('staff.since', { date: date(one.since, { dateStyle: 'medium' }) })} end={<Tag tone={one.role === 'owner' ? 'good' : 'plain'}>{t(`roles.${one.role}`)}</Tag>} />
          ))}
        </Rows>
      ) : <Waiting loading={loading} problem={problem} again={again} />}
      <form className="card" onSubmit={(event) => event.preventDefault()}>
        <h2>{t('staff.add')}</h2>
        <Field label={t('staff.alias')} before="@" value={alias} onChange={(value) => { setAlias(value.toLowerCase().replace(/^@/, '')); setHired(undefined); }} maxLength={30} />
        {hired ? (
          <>
            <div className="party-card"><Avatar party={hired} /><span className="party-name">{nameOf(hired, t('common.unknown_person'))}</span></div>
            <Choice label={t('staff.role')} value={as} onChange={setAs} options={may.map((one) => [one, t(`roles.${one}`)] as const)} />
            <p className="quiet">{t(`roles_text.${as}`)}</p>
            <Act act={() => give(hired.id, as)}>{t('staff.add_now')}</Act>
          </>
        ) : <Act type="submit" fill="outline" disabled={alias.length < 3} act={async () => setHired(await ask<Party>('/v1/parties', { find: `@${alias}` }))}>{t('staff.find')}</Act>}
      </form>
      <Sheet open={open !== undefined} title={nameOf(open?.person, t('common.unknown_person'))} onClose={() => setOpen(undefined)}>
        {open ? (
          <>
            <Choice label={t('staff.role')} value={as} onChange={setAs} options={may.map((one) => [one, t(`roles.${one}`)] as const)} />
            <p className="quiet">{t(`roles_text.${as}`)}</p>
            <Act disabled={as === open.role} act={() => give(open.person.id, as)}>{t('common.save')}</Act>
            <Act color="danger" fill="outline" act={async () => { await tell('/v1/shop/remove_staff', { shop, person: open.person.id }); setOpen(undefined); again(); }}>{t('staff.remove')}</Act>
          </>
        ) : null}
      </Sheet>
    </Page>
  );
}

/** The tills of the shop; each has a code that can be printed. */
export function Tills() {
  const { t } = useWords();
  const { tills, role, again } = useShop();
  const { shop, till } = usePlace();
  const [label, setLabel] = useState('');
  const [tip, setTip] = useState<'none' | 'ask'>('none');
  const open = tills.filter((one) => one.state !== 'removed');
  const add = async () => {
    await tell('/v1/shop/add_till', { shop, label: label.trim(), tip });
    setLabel('');
    again();
  };
  return (
    <Page title={t('tills.title')} up="/more">
      {open.length ? <Rows>{open.map((one) => <Row key={one.till} to={`/till/${one.till}`} icon="store" title={one.label ?? `…${one.till.slice(-6)}`} text={one.tip === 'ask' ? t('tills.tip_ask') : undefined} end={one.till === till ? <Tag tone="good">{t('tills.this')}</Tag> : undefined} />)}</Rows> : <Empty icon="store" title={t('choose.no_tills')} text={t('choose.no_tills_text')} />}
      {MAY.manage(role) ? (
        <form className="card" onSubmit={(event) => event.preventDefault()}>
          <h2>{t('choose.new_till')}</h2>
          <Field label={t('tills.label')} value={label} onChange={setLabel} placeholder={t('choose.new_till_hint')} maxLength={40} />
          <Choice label={t('sell.tip')} value={tip} onChange={setTip} options={[['none', t('sell.tip_none')], ['ask', t('sell.tip_ask')]]} />
          <Act type="submit" disabled={!label.trim()} act={add}>{t('choose.add_till')}</Act>
        </form>
      ) : null}
    </Page>
  );
}

/** The printed code of a till: a sign for the counter. */
export function TillCode({ found }: { found: Record<string, string> }) {
  const { t, money } = useWords();
  const { card, tills, role, again } = useShop();
  const { shop, till: mine } = usePlace();
  const id = found.id ?? '';
  const till = tills.find((one) => one.till === id);
  const asset = card.assets[0] ?? 'EUR';
  const [minor, setMinor] = useState<number | null>(null);
  const [removing, setRemoving] = useState(false);
  const code = useAsk<Drawn>(`/v1/shop/${shop}/tills/${id}/code`, minor ? { asset, amount_minor: minor } : {});
  return (
    <Page title={till?.label ?? t('tills.code')} up="/tills">
      <p className="quiet no-print">{t('tills.code_text')}</p>
      {code.data ? (
        <section className="poster">
          <h2>{card.shop.name}</h2>
          {minor ? <p className="poster-amount">{money(minor, asset)}</p> : null}
          <img src={pictureOf(code.data.qr)} alt={t('tills.code')} />
          <p className="poster-words">{t('tills.scan_to_pay')}</p>
          <small>{till?.label ?? ''}</small>
        </section>
      ) : <Waiting loading={code.loading} problem={code.problem} again={code.again} />}
      <div className="stack no-print">
        <MoneyInput label={`${t('tills.fixed')} (${t('common.optional')})`} asset={asset} value={minor} onChange={setMinor} hint={t('tills.fixed_hint')} />
        <Act act={async () => print()}>{t('tills.print')}</Act>
        <div className="pair">
          <Act fill="outline" act={async () => { if (await copy(code.data?.link ?? '')) say(t('common.copied'), 'good'); }}>{t('links.copy')}</Act>
          {id === mine ? <Notice icon="check"><p>{t('tills.this')}</p></Notice> : <Act fill="outline" act={async () => choosePlace({ shop, till: id })}>{t('tills.use')}</Act>}
        </div>
        {MAY.manage(role) ? <button type="button" className="link danger" onClick={() => setRemoving(true)}><Icon name="trash" size={18} /> {t('tills.remove')}</button> : null}
      </div>
      <Sheet open={removing} title={t('tills.remove')} onClose={() => setRemoving(false)}>
        <p className="quiet">{t('tills.remove_text')}</p>
        <Act color="danger" act={async () => { await tell('/v1/shop/remove_till', { shop, till: id }); if (id === mine) choosePlace({ shop, till: '' }); again(); history.back(); }}>{t('tills.remove')}</Act>
      </Sheet>
    </Page>
  );
}
