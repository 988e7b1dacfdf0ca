import { useState } from 'react';
import type { Party, Sent } from '../../shared/answers';
import { hasWords, useWords } from '../../shared/i18n';
import { tell } from '../../shared/api';
import { Icon } from '../../shared/icons';
import { go, href } from '../../shared/router';
import { say } from '../../shared/say';
import { Act, Amount, Field, Sheet, nameOf } from '../ui';

/** Why a payment is held, in plain words; the public rules by their names. */
export function Reasons({ reasons }: { reasons: readonly string[] }) {
  const { t } = useWords();
  return (
    <div className="stack">
      {reasons.map((reason) => {
        const key = hasWords(`reasons.${reason}.title`) ? reason : 'other';
        return <section key={reason} className="reason"><h3>{t(`reasons.${key}.title`)}</h3><p>{t(`reasons.${key}.text`)}</p></section>;
      })}
    </div>
  );
}

/** What one can do about a held payment: take it back for certain, or say why it is right. */
export function HeldActs({ payment, caseId, payer, onDone }: { payment: string; caseId?: string; payer: boolean; onDone: () => void }) {
  const { t } = useWords();
  const [appealing, setAppealing] = useState(false);
  const [text, setText] = useState('');
  return (
    <div className="stack">
      {payer ? <Act act={async () => { await tell('/v1/guard/recall', { payment }); say(t('held.recalled'), 'good'); onDone(); }}>{t('held.recall')}</Act> : null}
      {caseId ? <button type="button" className="link" onClick={() => setAppealing(true)}>{t('held.appeal')}</button> : null}
      <Sheet open={appealing} title={t('held.appeal')} onClose={() => setAppealing(false)}>
        <p className="quiet">{t('held.appeal_text')}</p>
        <Field label={t('held.appeal_label')} value={text} onChange={setText} rows={4} maxLength={1000} />
        <Act disabled={text.trim().length < 5} act={async () => { await tell('/v1/guard/appeal', { case: caseId, text: text.trim() }); setAppealing(false); say(t('held.appealed'), 'good'); onDone(); }}>{t('held.appeal_send')}</Act>
      </Sheet>
    </div>
  );
}

/** Paid, or held with its reasons: the moment after a payment. */
export function Outcome({ sent, party, minor, asset, children }: { sent: Sent; party: Party; minor: number; asset: string; children?: React.ReactNode }) {
  const { t } = useWords();
  const held = sent.state === 'held';
  const name = nameOf(party, t('common.unknown_person'));
  return (
    <div className="page">
      <div className="moment" role="status" aria-live="assertive">
        <span className="moment-badge" data-tone={held ? 'warn' : 'good'}><Icon name={held ? 'clock' : 'check'} size={46} /></span>
        <h1>{t(held ? 'held.title' : 'send.paid')}</h1>
        <p className="moment-amount plain-amount"><Amount minor={minor} asset={asset} /></p>
        <p>{t(held ? 'held.text' : 'send.paid_text', { name })}</p>
      </div>
      {held ? <div className="card"><Reasons reasons={sent.reasons} /><p className="quiet">{t('held.certain')}</p></div> : null}
      {held ? <HeldActs payment={sent.payment} payer onDone={() => go(`/payment/${sent.payment}`, { replace: true })} /> : null}
      {children}
      <div className="stack">
        {held ? <a className="link" href={href(`/payment/${sent.payment}`)}>{t('held.wait')}</a> : <button type="button" className="button" onClick={() => go('/', { replace: true })}>{t('common.done')}</button>}
        {!held ? <a className="link" href={href(`/payment/${sent.payment}`)}>{t('payment.receipt')}</a> : null}
      </div>
    </div>
  );
}
