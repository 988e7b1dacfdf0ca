import { useState } from 'react';
import type { Activity, Found, Party } from '../../shared/answers';
import { type Page as Listed, Problem, asProblem, ask } from '../../shared/api';
import { problemText, useWords } from '../../shared/i18n';
import { useAsk } from '../../shared/useAsk';
import { Act, Avatar, Field, Pick, Row, Rows, nameOf } from '../ui';
import { type Institution, type Payee, type Transfer, hostOf, nameOfInstitution, payeeAt, readAddress, recentElsewhere } from './elsewhere';

/** Finds people and shops as somebody names them: @name, phone, mail or the id; exact matches only. */
export async function findParty(text: string): Promise<Party> {
  const found = await ask<Found>('/v1/parties', { find: text.trim() });
  return { id: found.id, name: found.name, kind: found.kind as Party['kind'] };
}

/** Everybody one has paid or been paid by lately, newest first; a payment that is held or went back makes nobody known. */
export function useRecent(): Party[] {
  const { data } = useAsk<Listed<Activity>>('/v1/pay/activity', { limit: 50 });
  const seen = new Map<string, Party>();
  for (const item of data?.items ?? []) if (item.state === 'paid' && item.other?.id && item.other.kind !== 'institution' && item.other.name) seen.set(item.other.id, item.other);
  return [...seen.values()];
}

/**
 * Finds whom somebody means: here by looking, and at another of `others` by taking the name as it is, for only that
 * institution knows who it is. `@name@institution` says both in one.
 */
export async function findPayee(text: string, at: string, others: readonly Institution[], own?: Institution): Promise<Payee> {
  const address = readAddress(text);
  const chosen = address ? others.find((one) => hostOf(one) === address.host) : others.find((one) => one.institution.id === at);
  if (chosen) return payeeAt(chosen, address?.payee ?? text.trim());
  if (address && !(own && hostOf(own) === address.host)) throw new Problem('institution_unknown', 404);
  return findParty(address?.payee ?? text);
}

interface FieldGiven {
  label: string;
  hint?: string;
  onFound: (party: Payee) => void;
  people?: boolean;
  /** Institutions that may be chosen besides this one. */
  others?: readonly Institution[];
  own?: Institution;
}

const NOBODY: readonly Institution[] = [];

export function PartyField({ label, hint, onFound, people = false, others = NOBODY, own }: FieldGiven) {
  const { t } = useWords();
  const [text, setText] = useState('');
  const [at, setAt] = useState('');
  const [wrong, setWrong] = useState<string>();
  const across = useAsk<Listed<Transfer>>(others.length > 0 ? '/v1/clearing/transfers' : null, { direction: 'out', limit: 50 });
  const elsewhere = recentElsewhere(across.data?.items ?? [], others);
  const recent = useRecent().filter((party) => !people || party.kind === 'person');
  const look = async () => {
    try {
      onFound(await findPayee(text, at, others, own));
    } catch (error) {
      setWrong(problemText(asProblem(error)));
    }
  };
  return (
    <>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); }}>
        <Field label={label} value={text} onChange={(value) => { setText(value); setWrong(undefined); }} placeholder={t('party.placeholder')} hint={hint ?? t(others.length > 0 ? 'party.hint_elsewhere' : 'party.hint', { example: `@nora@${others[0] ? hostOf(others[0]) : ''}` })} problem={wrong} autoComplete="off" maxLength={200} />
        {others.length > 0 ? <Pick label={t('party.where')} value={at} onChange={setAt} options={[['', t('party.here')], ...others.map((one) => [one.institution.id, nameOfInstitution(one)] as const)]} /> : null}
        <Act type="submit" disabled={text.trim().length < 2} act={look}>{t('party.find')}</Act>
      </form>
      {recent.length + elsewhere.length > 0 && (
        <Rows title={t('party.recent')}>
          {elsewhere.slice(0, 4).map((payee) => (
            <Row key={`${payee.at?.institution.id} ${payee.name}`} lead={<Avatar icon="bank" />} title={payee.name} text={payee.at ? nameOfInstitution(payee.at) : ''} onClick={() => onFound(payee)} />
          ))}
          {recent.slice(0, 8).map((party) => (
            <Row key={party.id} lead={<Avatar party={party} />} title={nameOf(party, t('common.unknown_person'))} text={t(`party.kind_${party.kind || 'person'}`)} onClick={() => onFound(party)} />
          ))}
        </Rows>
      )}
    </>
  );
}

/** Shows who it is before money goes there: the name that they registered, for the payer to compare. */
export function PartyCard({ party, onChange }: { party: Payee; onChange?: () => void }) {
  const { t } = useWords();
  const what = party.at ? t('party.at', { name: nameOfInstitution(party.at) }) : `${t(`party.kind_${party.kind || 'person'}`)} · ${party.id.slice(0, 4)}…${party.id.slice(-4)}`;
  return (
    <div className="party-card">
      <Avatar party={party} icon={party.at ? 'bank' : undefined} size={52} />
      <span className="row-words"><span className="party-name">{nameOf(party, t('common.unknown_person'))}</span><span className="row-text">{what}</span></span>
      {onChange ? <button type="button" className="link" onClick={onChange}>{t('party.change')}</button> : null}
    </div>
  );
}
