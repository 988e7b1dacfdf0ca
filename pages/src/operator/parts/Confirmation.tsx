import Button from 'antd/es/button';
import Input from 'antd/es/input';
import Modal from 'antd/es/modal';
import { useEffect, useState } from 'react';
import { Problem, onConfirmationNeeded } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { confirmWithPasskey, confirmWithPin, passkeysWork } from '../../shared/passkey';
import { Act } from './ui';

/** Over whatever dialog the command was sent from. */
const ABOVE = 1200;

/** Asks for passkey or PIN when a command needs it, then lets the command go on. */
export function Confirmation() {
  const { t } = useWords();
  const [waiting, setWaiting] = useState<{ go: () => void; turn: () => void }>();
  const [pin, setPin] = useState('');
  useEffect(() => {
    onConfirmationNeeded(() => new Promise<void>((resolve, reject) => {
      setPin('');
      setWaiting({ go: resolve, turn: () => reject(new Problem('turned_away', 0)) });
    }));
    return () => onConfirmationNeeded(undefined);
  }, []);
  const finish = (how: 'go' | 'turn') => {
    waiting?.[how]();
    setWaiting(undefined);
  };
  return (
    <Modal open={waiting !== undefined} zIndex={ABOVE} title={t('confirm.title')} onCancel={() => finish('turn')} footer={<Button onClick={() => finish('turn')}>{t('common.cancel')}</Button>}>
      <div className="op-stack">
        <p>{t('confirm.text')}</p>
        {passkeysWork() ? <Act type="primary" block act={async () => { await confirmWithPasskey(); finish('go'); }}>{t('confirm.passkey')}</Act> : null}
        <Input.Password aria-label={t('confirm.pin')} placeholder={t('confirm.pin')} inputMode="numeric" autoComplete="current-password" value={pin} onChange={(event) => setPin(event.target.value)} />
        <Act block disabled={pin.length < 6} act={async () => { await confirmWithPin(pin); finish('go'); }}>{t('confirm.with_pin')}</Act>
      </div>
    </Modal>
  );
}
