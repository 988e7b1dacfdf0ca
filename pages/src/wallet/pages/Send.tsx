import { useEffect, useMemo, useState } from 'react';
import type { Sent } from '../../shared/answers';
import { newKey, tell } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { MoneyInput } from '../../shared/MoneyInput';
import { go, search } from '../../shared/router';
import { sayProblem } from '../../shared/say';
import { Crossing } from '../parts/Crossing';
import { type Payee, isId, nameOfInstitution, payeeAt, useInstitutions } from '../parts/elsewhere';
import { PartyCard, PartyField, findPayee, useRecent } from '../parts/PartyField';
import { Outcome } from '../parts/Outcome';
import { usePurses } from '../parts/usePurses';
import { Act, Amount, Choice, Field, Loading, Notice, Page, Sheet, nameOf } from '../ui';

export const PURPOSES = ['friend', 'family', 'goods', 'rent', 'invest', 'fee_for_money', 'other'] as const;
export type Purpose = (typeof PURPOSES)[number];

/** Pay a person or shop: who (with the name they registered), how much, what for, look again, pay. */
export function Send({ place, found }: { place: string; found: Record<string, string> }) {
  const { t, money } = useWords();
  const given = search(place);
  const { purse, asset, choose, assets } = usePurses();
  const recent = useRecent();
  const { others, own, ready: known } = useInstitutions();
  const [party, setParty] = useState<Payee>();
  const [minor, setMinor] = useState<number | null>(given.get('amount') ? Number(given.get('amount')) : null);
  const [note, setNote] = useState(given.get('note') ?? '');
  const [purpose, setPurpose] = useState<Purpose | ''>('');
  const [looking, setLooking] = useState(false);
  const [sent, setSent] = useState<Sent>();
  const [lost, setLost] = useState(false);
  const key = useMemo(newKey, [party, minor, asset, purpose, note]); // eslint-disable-line react-hooks/exhaustive-deps
  useEffect(() => {
    if (!found.to || party || !known) return;
    const [at, called] = [others.find((one) => one.institution.id === given.get('at')), given.get('name') ?? ''];
    if (at) setParty({ ...payeeAt(at, found.to, called), id: isId(found.to) ? found.to : '' });
    else findPayee(found.to, '', others, own).then(setParty).catch((error: unknown) => { sayProblem(error); setLost(true); });
  }, [found.to, known]); // eslint-disable-line react-hooks/exhaustive-deps
  useEffect(() => {
    const wanted = given.get('asset');
    if (wanted && assets.includes(wanted)) choose(wanted);
  }, [assets.length]); // eslint-disable-line react-hooks/exhaustive-deps
  const knownPayee = party !== undefined && !party.at && recent.some((one) => one.id === party.id);
  useEffect(() => { if (knownPayee && purpose === '') setPurpose(party?.kind === 'shop' ? 'goods' : 'friend'); }, [knownPayee]); // eslint-disable-line react-hooks/exhaustive-deps
  if (sent && party?.at && sent.state !== 'held') return <Crossing payment={sent.payment} payee={party} minor={minor ?? 0} asset={asset} />;
  if (sent && party) return <Outcome sent={sent} party={party} minor={minor ?? 0} asset={asset} />;
  if (found.to && !party && !lost) return <Page title={t('send.title')}><Loading /></Page>;
  if (!party) return <Page title={t('send.title')}><PartyField label={t('send.who')} onFound={setParty} others={others} own={own} /></Page>;
  const tooMuch = minor !== null && purse !== undefined && minor > purse.available_minor;
  const ready = minor !== null && minor > 0 && !tooMuch && purpose !== '';
  const name = nameOf(party, t('common.unknown_person'));
  const pay = async () => {
    const body = { asset, amount_minor: minor, purpose, note: note.trim() || null };
    const at = party.at?.institution.id;
    if (at) setSent(await tell<Sent>('/v1/clearing/payments', { ...body, institution: at, payee: party.id || party.name }, { key }));
    else setSent(await tell<Sent>('/v1/pay/send', { ...body, payee: party.id }, { key }));
    setLooking(false);
  };
  return (
    <Page title={t('send.title')}>
      <PartyCard party={party} onChange={() => { setParty(undefined); setLost(true); }} />
      {party.at ? <Notice icon="info"><p>{t('cross.name_check', { name, at: nameOfInstitution(party.at) })}</p></Notice> : !knownPayee ? <Notice icon="info"><p>{t('send.first_time', { name })}</p></Notice> : null}
      <form className="stack" onSubmit={(event) => { event.preventDefault(); if (ready) setLooking(true); }}>
        <MoneyInput label={t('send.amount')} asset={asset} assets={assets} onAsset={choose} value={minor} onChange={setMinor} autoFocus problem={tooMuch ? t('codes.exceeds_funds') : undefined} hint={purse ? t('send.available', { amount: money(purse.available_minor, asset) }) : ''} />
        <Choice label={t('send.purpose')} value={purpose} onChange={setPurpose} options={PURPOSES.map((one) => [one, t(`purposes.${one}`)] as const)} />
        {purpose === 'fee_for_money' ? <Notice tone="warn" icon="warn" title={t('reasons.advance_fee.title')}><p>{t('reasons.advance_fee.text')}</p></Notice> : null}
        {purpose === 'invest' && !knownPayee ? <Notice tone="warn" icon="warn" title={t('send.invest')}><p>{t('send.invest_text')}</p></Notice> : null}
        <Field label={`${t('send.note')} (${t('common.optional')})`} value={note} onChange={setNote} maxLength={200} hint={t('send.note_hint')} />
        <button type="submit" className="button" disabled={!ready} aria-disabled={!ready}>{t('common.next')}</button>
      </form>
      <Sheet open={looking} title={t('send.look')} onClose={() => setLooking(false)}>
        <PartyCard party={party} />
        <p className="moment-amount plain-amount"><Amount minor={minor ?? 0} asset={asset} /></p>
        <dl className="facts">
          <div><dt>{t('send.purpose_short')}</dt><dd>{purpose ? t(`purposes.${purpose}`) : ''}</dd></div>
          {note ? <div><dt>{t('send.note')}</dt><dd>{note}</dd></div> : null}
          <div><dt>{t('send.fee')}</dt><dd>{money(0, asset)}</dd></div>
        </dl>
        <p className="quiet">{party.at ? t('cross.look_text', { at: nameOfInstitution(party.at) }) : t('send.name_check', { name })}</p>
        <Act act={pay}>{t('send.pay', { amount: money(minor ?? 0, asset), name })}</Act>
      </Sheet>
    </Page>
  );
}

export const toPayment = (sent: Sent) => go(`/payment/${sent.payment}`, { replace: true });
