import { useState } from 'react';
import type { Activity, Found, Party } from '../../shared/answers';
import { type Page as Listed, asProblem, ask } from '../../shared/api';
import { problemText, useWords } from '../../shared/i18n';
import { useAsk } from '../../shared/useAsk';
import { Act, Avatar, Field, Row, Rows, nameOf } from '../ui';

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

export function PartyField({ label, hint, onFound, people = false }: { label: string; hint?: string; onFound: (party: Party) => void; people?: boolean }) {
  const { t } = useWords();
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState<string>();
  const recent = useRecent().filter((party) => !people || party.kind === 'person');
  const look = async () => {
    try {
      onFound(await findParty(text));
    } catch (error) {
      setWrong(problemText(asProblem(error)));
    }
  };
  return (
    <>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); }}>
        <Field label={label} value={text} onChange={(value) => { setText(value); setWrong(undefined); }} placeholder={t('party.placeholder')} hint={hint ?? t('party.hint')} problem={wrong} autoComplete="off" maxLength={120} />
        <Act type="submit" disabled={text.trim().length < 2} act={look}>{t('party.find')}</Act>
      </form>
      {recent.length > 0 && (
        <Rows title={t('party.recent')}>
          {recent.slice(0, 8).map((party) => (
            <Row key={party.id} lead={<Avatar party={party} />} title={nameOf(party, t('common.unknown_person'))} text={t(`party.kind_${party.kind || 'person'}`)} onClick={() => onFound(party)} />
          ))}
        </Rows>
      )}
    </>
  );
}

/** Shows who it is before money goes there: the name that they registered, for the payer to compare. */
export function PartyCard({ party, onChange }: { party: Party; onChange?: () => void }) {
  const { t } = useWords();
  return (
    <div className="party-card">
      <Avatar party={party} size={52} />
      <span className="row-words"><span className="party-name">{nameOf(party, t('common.unknown_person'))}</span><span className="row-text">{t(`party.kind_${party.kind || 'person'}`)} · {party.id.slice(0, 4)}…{party.id.slice(-4)}</span></span>
      {onChange ? <button type="button" className="link" onClick={onChange}>{t('party.change')}</button> : null}
    </div>
  );
}
