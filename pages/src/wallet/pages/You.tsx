import { useState } from 'react';
import type { Profile } from '../../shared/answers';
import { tell } from '../../shared/api';
import { LANGUAGES, type Language, setLanguage, useWords } from '../../shared/i18n';
import { COMMON_ASSETS } from '../../shared/money';
import { go } from '../../shared/router';
import { say, sayProblem } from '../../shared/say';
import { readSession, signOut, useSession } from '../../shared/session';
import { type Look, setLook, useLook } from '../../shared/theme';
import { usePurses } from '../parts/usePurses';
import { Act, Avatar, Choice, Field, Page, Pick, Row, Rows, Sheet, Tag } from '../ui';

/** Oneself: profile, currencies, bank, language, appearance; the ways to the rest. */
export function You() {
  const { t, language, money, asset: named } = useWords();
  const { person, profile } = useSession();
  const { purses, again } = usePurses();
  const look = useLook();
  const [editing, setEditing] = useState(false);
  const [opening, setOpening] = useState(false);
  const [asset, setAsset] = useState('USD');
  const speak = (next: Language) => {
    void setLanguage(next);
    if (profile) void tell('/v1/profile', { language: next }, { method: 'PATCH' }).catch(() => undefined);
  };
  return (
    <Page title={t('tabs.you')} top>
      <div className="party-card">
        <Avatar party={{ id: person?.person.id ?? '', name: profile?.name ?? '', kind: 'person' }} size={60} />
        <span className="row-words"><span className="party-name">{profile?.name}</span><span className="row-text">{profile?.alias ? `@${profile.alias.replace(/^@/, '')}` : ''} <Tag>{t('you.tier', { tier: person?.tier ?? 0 })}</Tag></span></span>
        <button type="button" className="link" onClick={() => setEditing(true)}>{t('you.edit')}</button>
      </div>
      <Rows title={t('you.money')}>
        {purses.map((purse) => <Row key={purse.asset} icon="bank" title={purse.asset} text={named(purse.asset)} end={money(purse.available_minor, purse.asset)} />)}
        <Row icon="plus" title={t('home.add_currency')} onClick={() => setOpening(true)} />
        <Row icon="topUp" title={t('bank.top_up')} to="/top-up" />
        <Row icon="withdraw" title={t('bank.withdraw')} to="/withdraw" />
      </Rows>
      <Rows title={t('you.more')}>
        <Row icon="shield" title={t('safety.title')} to="/safety" />
        <Row icon="chart" title={t('actions.statement')} to="/statement" />
        <Row icon="repeat" title={t('standing.title')} to="/standing" />
        <Row icon="ask" title={t('requests.title')} to="/requests" />
        <Row icon="packet" title={t('packet.title')} to="/packets" />
      </Rows>
      <div className="card">
        <Choice label={t('common.language')} value={language} onChange={speak} options={Object.entries(LANGUAGES) as [Language, string][]} />
        <Choice<Look> label={t('look.title')} value={look} onChange={setLook} options={(['system', 'light', 'dark'] as const).map((one) => [one, t(`look.${one}`)] as const)} />
      </div>
      <Act fill="outline" act={async () => { await signOut(); go('/', { replace: true }); }}>{t('common.sign_out')}</Act>
      <Sheet open={editing} title={t('you.edit')} onClose={() => setEditing(false)}>{profile ? <Edit profile={profile} onDone={() => setEditing(false)} /> : null}</Sheet>
      <Sheet open={opening} title={t('home.add_currency')} onClose={() => setOpening(false)}>
        <Pick label={t('money.currency')} value={asset} onChange={setAsset} options={COMMON_ASSETS.filter((code) => !purses.some((purse) => purse.asset === code)).map((code) => [code, `${code} · ${named(code)}`] as const)} />
        <Act act={async () => { await tell('/v1/wallet/open_currency', { asset }); setOpening(false); again(); }}>{t('common.add')}</Act>
      </Sheet>
    </Page>
  );
}

function Edit({ profile, onDone }: { profile: Profile; onDone: () => void }) {
  const { t } = useWords();
  const [name, setName] = useState(profile.name);
  const [alias, setAlias] = useState(profile.alias.replace(/^@/, ''));
  const [phone, setPhone] = useState(profile.phone ?? '');
  const [mail, setMail] = useState(profile.mail ?? '');
  const [findable, setFindable] = useState(profile.findable ?? false);
  const save = async () => {
    const now: Record<string, unknown> = { name: name.trim(), alias, phone: phone.trim(), mail: mail.trim(), findable };
    const before: Record<string, unknown> = { ...profile, alias: profile.alias.replace(/^@/, '') };
    const changed = Object.fromEntries(Object.entries(now).filter(([field, value]) => value !== (before[field] ?? '')));
    try {
      if (Object.keys(changed).length > 0) await tell('/v1/profile', changed, { method: 'PATCH' });
      await readSession();
      say(t('you.saved'), 'good');
      onDone();
    } catch (error) {
      sayProblem(error);
    }
  };
  return (
    <form className="stack" onSubmit={(event) => event.preventDefault()}>
      <Field label={t('welcome.name')} value={name} onChange={setName} autoComplete="name" maxLength={60} />
      <Field label={t('welcome.alias')} before="@" value={alias} onChange={(value) => setAlias(value.toLowerCase().replace(/^@/, ''))} maxLength={30} />
      <Field label={`${t('you.phone')} (${t('common.optional')})`} value={phone} onChange={setPhone} type="tel" inputMode="tel" autoComplete="tel" maxLength={30} />
      <Field label={`${t('you.mail')} (${t('common.optional')})`} value={mail} onChange={setMail} type="email" inputMode="email" autoComplete="email" maxLength={254} />
      <label className="check"><input type="checkbox" checked={findable} onChange={(event) => setFindable(event.target.checked)} /><span>{t('you.findable')}</span></label>
      <p className="hint">{t('you.private')}</p>
      <Act type="submit" disabled={!name.trim()} act={save}>{t('common.save')}</Act>
    </form>
  );
}
