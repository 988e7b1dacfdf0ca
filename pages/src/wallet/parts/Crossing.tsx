import type { Page as Listed } from '../../shared/api';
import { tell } from '../../shared/api';
import { type Spoken, problemText, useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';
import { go, href } from '../../shared/router';
import { say } from '../../shared/say';
import { useAsk } from '../../shared/useAsk';
import { Act, Amount } from '../ui';
import { type Payee, type Transfer, nameOfInstitution } from './elsewhere';
import { type Stop, Track } from './Track';

/** A payment across, as it stands; it changes within a second or two, so it is read again when the ledger speaks. */
export function useTransfer(payment: string | null, direction: 'out' | 'in') {
  const { data, again } = useAsk<Listed<Transfer>>(payment === null ? null : '/v1/clearing/transfers', { direction, payment: payment ?? '' }, { on: ['clearing.'], everyS: 10 });
  return { transfer: data?.items[0], again };
}

/** The way of a payment from here: held, accepted over there, paid; or back with the reason. */
export function stopsOut(transfer: Pick<Transfer, 'state' | 'code'>, name: string, { t }: Pick<Spoken, 't'>): Stop[] {
  const { state, code } = transfer;
  const back = state === 'refused' || state === 'cancelled';
  const held: Stop = { key: 'held', title: t('cross.held'), text: t('cross.held_text'), state: 'done' };
  if (back) {
    const why = state === 'refused' ? (code ? problemText({ code, detail: t('cross.refused_text', { name }) }) : t('cross.refused_text', { name })) : t('cross.cancelled_text', { name });
    return [held, { key: 'accepted', title: t(state === 'refused' ? 'cross.refused' : 'cross.cancelled', { name }), text: why, state: 'bad' }, { key: 'back', title: t('cross.back'), text: t('cross.back_text'), state: 'done' }];
  }
  const paid = state === 'captured';
  return [
    held,
    { key: 'accepted', title: t('cross.accepted', { name }), text: paid ? undefined : t('cross.asking', { name }), state: paid ? 'done' : state === 'offered' ? 'now' : 'later' },
    { key: 'paid', title: t('cross.paid'), text: paid ? t('cross.paid_text') : undefined, state: paid ? 'done' : 'later' },
  ];
}

/** The way of a payment to here: promised and held, then paid; or called off by the other side. */
export function stopsIn(transfer: Pick<Transfer, 'state'>, name: string, { t }: Pick<Spoken, 't'>): Stop[] {
  const { state } = transfer;
  const promised: Stop = { key: 'held', title: t('cross.promised', { name }), text: t('cross.promised_text'), state: 'done' };
  if (state === 'cancelled') return [promised, { key: 'back', title: t('cross.called_off', { name }), text: t('cross.called_off_text'), state: 'bad' }];
  return [promised, { key: 'paid', title: t('cross.yours'), text: state === 'captured' ? undefined : t('cross.deciding', { name }), state: state === 'captured' ? 'done' : 'now' }];
}

/** As long as the other side has not accepted, the payer takes the money back by themselves. */
export function CallOff({ transfer, again }: { transfer: Transfer; again: () => void }) {
  const { t } = useWords();
  if (transfer.state !== 'offered') return null;
  return <Act fill="outline" act={async () => { await tell('/v1/clearing/cancel_out', { transfer: transfer.payment }); say(t('held.recalled'), 'good'); again(); }}>{t('held.recall')}</Act>;
}

/** The moment after a payment to another institution: it goes on before one's eyes until it is paid, or back. */
export function Crossing({ payment, payee, minor, asset }: { payment: string; payee: Payee; minor: number; asset: string }) {
  const spoken = useWords();
  const { t } = spoken;
  const { transfer, again } = useTransfer(payment, 'out');
  const state = transfer?.state ?? 'offered';
  const paid = state === 'captured';
  const back = state === 'refused' || state === 'cancelled';
  const at = payee.at ? nameOfInstitution(payee.at) : '';
  return (
    <div className="page">
      <div className="moment" role="status" aria-live="assertive">
        <span className="moment-badge" data-tone={paid ? 'good' : back ? 'bad' : 'warn'}><Icon name={paid ? 'check' : back ? 'back' : 'clock'} size={46} /></span>
        <h1>{t(paid ? 'send.paid' : back ? 'cross.back' : 'cross.under_way')}</h1>
        <p className="moment-amount plain-amount"><Amount minor={minor} asset={asset} /></p>
        <p>{t(paid ? 'cross.paid_to' : back ? 'cross.back_to' : 'cross.under_way_to', { name: payee.name, at })}</p>
      </div>
      <section className="card"><Track label={t('cross.way')} stops={stopsOut(transfer ?? { state, code: '' }, at, spoken)} /></section>
      {transfer ? <CallOff transfer={transfer} again={again} /> : null}
      <div className="stack">
        <button type="button" className="button" onClick={() => go('/', { replace: true })}>{t('common.done')}</button>
        <a className="link" href={href(`/payment/${payment}`)}>{t(paid ? 'payment.receipt' : 'cross.show')}</a>
      </div>
    </div>
  );
}
