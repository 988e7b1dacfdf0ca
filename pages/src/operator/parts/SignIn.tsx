import Button from 'antd/es/button';
import Input from 'antd/es/input';
import { useState } from 'react';
import { asProblem } from '../../shared/api';
import { problemText, useWords } from '../../shared/i18n';
import { Mark, Tunnels } from '../../shared/icons';
import { passkeysWork, signInWithPasskey, signInWithPin } from '../../shared/passkey';
import { readSession } from '../../shared/session';
import { Languages } from './Wishes';

export function SignIn() {
  const { t } = useWords();
  const [alias, setAlias] = useState('');
  const [pin, setPin] = useState('');
  const [wrong, setWrong] = useState('');
  const [busy, setBusy] = useState(false);
  const enter = async (how: () => Promise<unknown>) => {
    setWrong('');
    setBusy(true);
    try {
      await how();
      await readSession();
    } catch (error) {
      setWrong(problemText(asProblem(error)));
    }
    setBusy(false);
  };
  return (
    <main className="op-welcome">
      <section><Tunnels className="op-tunnels" /><span className="op-brand"><Mark size={34} />Formicary</span><div><h1>{t('sign_in.title')}</h1><p>{t('sign_in.text')}</p></div></section>
      <form className="op-stack" onSubmit={(event) => { event.preventDefault(); void enter(() => signInWithPin(alias, pin)); }}>
        {passkeysWork() ? <Button type="primary" size="large" block loading={busy} onClick={() => void enter(() => signInWithPasskey())}>{t('sign_in.passkey')}</Button> : null}
        <label>{t('sign_in.alias')}<Input size="large" prefix="@" autoComplete="username" value={alias} onChange={(event) => setAlias(event.target.value.toLowerCase().replace(/^@/, ''))} /></label>
        <label>{t('confirm.pin')}<Input.Password size="large" inputMode="numeric" autoComplete="current-password" value={pin} onChange={(event) => setPin(event.target.value.replace(/\D/g, ''))} /></label>
        {wrong ? <p className="op-wrong" role="alert">{wrong}</p> : null}
        <Button size="large" block htmlType="submit" disabled={!alias || pin.length < 6} loading={busy}>{t('sign_in.with_pin')}</Button>
        <Languages />
      </form>
    </main>
  );
}
