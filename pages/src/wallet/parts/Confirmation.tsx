import { useEffect, useState } from 'react';
import { Problem, onConfirmationNeeded } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { confirmWithPasskey, confirmWithPin, passkeysWork } from '../../shared/passkey';
import { Act, Field, Sheet } from '../ui';

/** Asks for passkey or PIN when a command needs it, then lets the command go on. */
export function Confirmation() {
  const { t } = useWords();
  const [waiting, setWaiting] = useState<{ go: () => void; turn: () => void } | undefined>();
  const [pin, setPin] = useState('');
  useEffect(() => {
    onConfirmationNeeded(() => new Promise<void>((resolve, reject) => {
      setPin('');
      setWaiting({ go: resolve, turn: () => reject(new Problem('turned_away', 0)) });
    }));
    return () => onConfirmationNeeded(undefined);
  }, []);
  const finish = () => {
    waiting?.go();
    setWaiting(undefined);
  };
  const close = () => {
    waiting?.turn();
    setWaiting(undefined);
  };
  return (
    <Sheet open={waiting !== undefined} title={t('confirm.title')} onClose={close}>
      <p className="quiet">{t('confirm.text')}</p>
      {passkeysWork() && <Act act={async () => { await confirmWithPasskey(); finish(); }}>{t('confirm.passkey')}</Act>}
      <form className="stack" onSubmit={(event) => event.preventDefault()}>
        <Field label={t('confirm.pin')} value={pin} onChange={setPin} type="password" inputMode="numeric" autoComplete="current-password" maxLength={12} />
        <Act type="submit" fill="outline" disabled={pin.length < 6} act={async () => { await confirmWithPin(pin); finish(); }}>{t('confirm.with_pin')}</Act>
      </form>
    </Sheet>
  );
}
