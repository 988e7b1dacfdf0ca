import { useState } from 'react';
import { asProblem, tell } from '../../shared/api';
import { LANGUAGES, type Language, problemText, setLanguage, useWords } from '../../shared/i18n';
import { Icon, Mark, Tunnels } from '../../shared/icons';
import { COMMON_ASSETS } from '../../shared/money';
import { makePasskey, passkeysWork, signInWithPasskey, signInWithPin } from '../../shared/passkey';
import { go, href } from '../../shared/router';
import { say } from '../../shared/say';
import { readSession } from '../../shared/session';
import { Act, Field, Notice, Page, Pick } from '../ui';

const REGIONS: Record<string, string> = { US: 'USD', GB: 'GBP', CH: 'CHF', CN: 'CNY', HK: 'HKD', JP: 'JPY', SG: 'SGD', CZ: 'CZK', PL: 'PLN', SE: 'SEK', NO: 'NOK', DK: 'DKK', CA: 'CAD', AU: 'AUD', PH: 'PHP', IN: 'INR', KR: 'KRW', BR: 'BRL', TN: 'TND' };
const ownAsset = () => REGIONS[new Intl.Locale(navigator.language).maximize().region ?? ''] ?? 'EUR';

export function Languages() {
  const { t, language } = useWords();
  return (
    <div className="languages" role="group" aria-label={t('common.language')}>
      {Object.entries(LANGUAGES).map(([code, name]) => (
        <button key={code} type="button" className="link" lang={code} aria-pressed={language === code} onClick={() => void setLanguage(code as Language)}>{name}</button>
      ))}
    </div>
  );
}

export function Welcome({ place }: { place: string }) {
  const { t } = useWords();
  const [way, setWay] = useState<'' | 'up' | 'in'>(place.startsWith('/pay/') || place.startsWith('/authorize') ? 'in' : '');
  return (
    <div className="welcome">
      <section className="welcome-hero">
        <Tunnels className="hero-tunnels" />
        <span className="welcome-brand"><Mark size={34} />Formicary</span>
        <div><h1>{t('welcome.title')}</h1><p>{t('welcome.text')}</p></div>
      </section>
      <div className="stack welcome-form">
        {place.startsWith('/pay/') && way === 'in' ? <Notice icon="lock"><p>{t('welcome.to_pay')}</p></Notice> : null}
        {way === 'up' ? <SignUp onBack={() => setWay('')} /> : way === 'in' ? <SignIn onUp={() => setWay('up')} /> : (
          <>
            <ul className="points">
              {(['shieldOk', 'eyeOff', 'globe'] as const).map((icon, index) => (
                <li key={icon}><Icon name={icon} /><span><strong>{t(`welcome.point${index + 1}`)}</strong>{t(`welcome.point${index + 1}_text`)}</span></li>
              ))}
            </ul>
            <button type="button" className="button" onClick={() => setWay('up')}>{t('welcome.open')}</button>
            <button type="button" className="link" onClick={() => setWay('in')}>{t('welcome.have')}</button>
          </>
        )}
        <Languages />
      </div>
    </div>
  );
}

const goodAlias = (text: string) => /^[a-z][a-z0-9._]{2,29}$/.test(text);

function SignUp({ onBack }: { onBack: () => void }) {
  const { t, language, asset: named } = useWords();
  const [name, setName] = useState('');
  const [alias, setAlias] = useState('');
  const [asset, setAsset] = useState(ownAsset);
  const [byPin, setByPin] = useState(!passkeysWork());
  const [pin, setPin] = useState('');
  const [wrong, setWrong] = useState<{ code: string; text: string }>();
  const open = async () => {
    setWrong(undefined);
    try {
      const begun = await tell<{ options: unknown; ticket: string }>('/v1/sign-up/begin', { name: name.trim(), alias, currency: asset, language });
      const proof = byPin ? { pin } : { credential: await makePasskey(begun.options) };
      await tell('/v1/sign-up/finish', { ticket: begun.ticket, ...proof });
      try { localStorage.setItem('formicary.alias', alias); } catch { /* private mode */ }
      await readSession();
      say(t('welcome.ready'), 'good');
    } catch (error) {
      const problem = asProblem(error);
      setWrong({ code: problem.code, text: problemText(problem) });
      if (problem.code === 'passkey_failed') setByPin(true);
    }
  };
  const aliasWrong = wrong && /alias/.test(wrong.code) ? wrong.text : alias !== '' && !goodAlias(alias) ? t('codes.alias_malformed') : undefined;
  return (
    <form className="stack" aria-label={t('welcome.open')} onSubmit={(event) => event.preventDefault()}>
      <Field label={t('welcome.name')} value={name} onChange={setName} autoComplete="name" hint={t('welcome.name_hint')} maxLength={60} autoFocus required />
      <Field label={t('welcome.alias')} value={alias} before="@" onChange={(value) => { setAlias(value.toLowerCase().replace(/^@/, '')); setWrong(undefined); }} autoComplete="username" hint={t('welcome.alias_hint')} problem={aliasWrong} maxLength={30} required />
      <Pick label={t('money.currency')} value={asset} onChange={setAsset} options={COMMON_ASSETS.map((code) => [code, `${code} · ${named(code)}`] as const)} />
      {byPin ? <Field label={t('welcome.pin')} value={pin} onChange={(value) => setPin(value.replace(/\D/g, ''))} type="password" inputMode="numeric" autoComplete="new-password" hint={t('codes.pin_weak')} maxLength={12} /> : null}
      {wrong && !/alias/.test(wrong.code) ? <p className="wrong" role="alert">{wrong.text}</p> : null}
      <Act type="submit" disabled={!name.trim() || !goodAlias(alias) || (byPin && pin.length < 6)} act={open}>{t(byPin ? 'welcome.finish_pin' : 'welcome.finish_passkey')}</Act>
      {passkeysWork() ? <button type="button" className="link" onClick={() => setByPin(!byPin)}>{t(byPin ? 'welcome.use_passkey' : 'welcome.use_pin')}</button> : null}
      <button type="button" className="link" onClick={onBack}>{t('common.back')}</button>
    </form>
  );
}

function SignIn({ onUp }: { onUp: () => void }) {
  const { t } = useWords();
  const [alias, setAlias] = useState(() => { try { return localStorage.getItem('formicary.alias') ?? ''; } catch { return ''; } });
  const [pin, setPin] = useState('');
  const [wrong, setWrong] = useState('');
  const enter = (how: () => Promise<unknown>) => async () => {
    setWrong('');
    try {
      await how();
      if (alias) try { localStorage.setItem('formicary.alias', alias); } catch { /* private mode */ }
      await readSession();
    } catch (error) {
      setWrong(problemText(asProblem(error)));
    }
  };
  return (
    <form className="stack" aria-label={t('welcome.sign_in')} onSubmit={(event) => event.preventDefault()}>
      <h2>{t('welcome.sign_in')}</h2>
      {passkeysWork() ? <Act act={enter(() => signInWithPasskey())}>{t('welcome.in_passkey')}</Act> : null}
      <Field label={t('welcome.alias')} value={alias} before="@" onChange={(value) => setAlias(value.toLowerCase().replace(/^@/, ''))} autoComplete="username" maxLength={30} />
      <Field label={t('confirm.pin')} value={pin} onChange={(value) => setPin(value.replace(/\D/g, ''))} type="password" inputMode="numeric" autoComplete="current-password" maxLength={12} />
      {wrong ? <p className="wrong" role="alert">{wrong}</p> : null}
      <Act type="submit" fill="outline" disabled={!alias || pin.length < 6} act={enter(() => signInWithPin(alias, pin))}>{t('welcome.in_pin')}</Act>
      <button type="button" className="link" onClick={onUp}>{t('welcome.open')}</button>
      <a className="link" href={href('/recover')}>{t('welcome.lost')}</a>
    </form>
  );
}

/** Getting back in on a new device, with the help of trusted contacts. */
export function Recover() {
  const { t } = useWords();
  const [alias, setAlias] = useState('');
  const [pin, setPin] = useState('');
  const [asked, setAsked] = useState(false);
  const [byPin, setByPin] = useState(!passkeysWork());
  const ask = async () => {
    const begun = await tell<{ options: unknown; ticket: string }>('/v1/recovery/begin', { alias });
    const proof = byPin ? { pin } : { credential: await makePasskey(begun.options) };
    await tell('/v1/recovery/finish', { ticket: begun.ticket, ...proof });
    setAsked(true);
  };
  return (
    <Page title={t('recover.title')}>
      {asked ? (
        <Notice tone="good" icon="clock" title={t('recover.asked')}><p>{t('recover.asked_text')}</p></Notice>
      ) : (
        <form className="stack" onSubmit={(event) => event.preventDefault()}>
          <p className="quiet">{t('recover.text')}</p>
          <Field label={t('welcome.alias')} before="@" value={alias} onChange={(value) => setAlias(value.toLowerCase().replace(/^@/, ''))} autoComplete="username" maxLength={30} />
          {byPin ? <Field label={t('welcome.pin')} value={pin} onChange={(value) => setPin(value.replace(/\D/g, ''))} type="password" inputMode="numeric" autoComplete="new-password" hint={t('codes.pin_weak')} maxLength={12} /> : null}
          <Act type="submit" disabled={!goodAlias(alias) || (byPin && pin.length < 6)} act={ask}>{t('recover.ask')}</Act>
          {passkeysWork() ? <button type="button" className="link" onClick={() => setByPin(!byPin)}>{t(byPin ? 'welcome.use_passkey' : 'welcome.use_pin')}</button> : null}
        </form>
      )}
      <button type="button" className="link" onClick={() => go('/', { replace: true })}>{t('welcome.sign_in')}</button>
    </Page>
  );
}
