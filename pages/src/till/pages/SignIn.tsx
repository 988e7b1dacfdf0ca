import { useState } from 'react';
import { asProblem } from '../../shared/api';
import { LANGUAGES, type Language, problemText, setLanguage, useWords } from '../../shared/i18n';
import { Icon, Mark, Tunnels } from '../../shared/icons';
import { passkeysWork, signInWithPasskey, signInWithPin } from '../../shared/passkey';
import { readSession } from '../../shared/session';
import { Act, Field } from '../kit';

/** Signing in with the wallet's own passkey or PIN: who works in a shop is a person like any other. */
export function SignIn() {
  const { t, language } = useWords();
  const [alias, setAlias] = useState(() => { try { return localStorage.getItem('formicary.alias') ?? ''; } catch { return ''; } });
  const [pin, setPin] = useState('');
  const [wrong, setWrong] = useState('');
  const enter = (how: () => Promise<unknown>) => async () => {
    setWrong('');
    try {
      await how();
      await readSession();
    } catch (error) {
      setWrong(problemText(asProblem(error)));
    }
  };
  return (
    <div className="till-welcome">
      <section className="till-hero">
        <Tunnels className="hero-tunnels" />
        <span className="welcome-brand"><Mark size={32} />Formicary</span>
        <div><h1>{t('sign_in.title')}</h1><p>{t('sign_in.text')}</p></div>
        <ul className="till-points">
          {(['code', 'flash', 'receipt'] as const).map((icon, index) => <li key={icon}><Icon name={icon} size={22} />{t(`sign_in.point${index + 1}`)}</li>)}
        </ul>
      </section>
      <form className="stack" aria-label={t('sign_in.title')} onSubmit={(event) => event.preventDefault()}>
        {passkeysWork() ? <Act act={enter(() => signInWithPasskey())}>{t('sign_in.passkey')}</Act> : null}
        <Field label={t('sign_in.alias')} value={alias} before="@" onChange={(value) => setAlias(value.toLowerCase().replace(/^@/, ''))} autoComplete="username" maxLength={30} />
        <Field label={t('sign_in.pin')} value={pin} onChange={(value) => setPin(value.replace(/\D/g, ''))} type="password" inputMode="numeric" autoComplete="current-password" maxLength={12} />
        {wrong ? <p className="wrong" role="alert">{wrong}</p> : null}
        <Act type="submit" fill="outline" disabled={!alias || pin.length < 6} act={enter(() => signInWithPin(alias, pin))}>{t('sign_in.with_pin')}</Act>
        <p className="quiet">{t('sign_in.no_account')} <a href="/">{t('sign_in.open_wallet')}</a></p>
        <div className="languages" role="group" aria-label={t('common.language')}>
          {Object.entries(LANGUAGES).map(([code, name]) => <button key={code} type="button" className="link" lang={code} aria-pressed={language === code} onClick={() => void setLanguage(code as Language)}>{name}</button>)}
        </div>
      </form>
    </div>
  );
}
