import { useState } from 'react';
import type { Party } from '../../shared/answers';
import { forget, tell, withParams } from '../../shared/api';
import { hasWords, useWords } from '../../shared/i18n';
import { say } from '../../shared/say';
import { session } from '../../shared/session';
import { useAsk } from '../../shared/useAsk';
import { Act, Avatar, Choice, Empty, Page, Row, Rows, Sheet, Tag, Waiting, nameOf } from '../ui';

interface Use {
  reader: Party;
  what: string;
  purpose: string;
  times: number;
  newest: string;
}

interface Grant {
  grant: string;
  name: string;
  scopes: string[];
  given: string;
  used: string;
}

/** Who read what of mine, which apps may act for me, and leaving for good. */
export function Data() {
  const { t, moment } = useWords();
  const uses = useAsk<{ items: Use[] }>('/v1/profile/uses', { limit: 50 });
  const grants = useAsk<{ items: Grant[] }>('/v1/grants');
  const accounts = useAsk<{ items: { account_ref: string; iban?: string | null }[] }>('/v1/bank/accounts');
  const [leaving, setLeaving] = useState(false);
  const [word, setWord] = useState(false);
  const [to, setTo] = useState('');
  const banks = accounts.data?.items ?? [];
  const said = (group: string, name: string) => (hasWords(`${group}.${name}`) ? t(`${group}.${name}`) : name.replaceAll('_', ' '));
  const erase = async () => {
    await tell(withParams('/v1/profile', { account_ref: to || banks[0]?.account_ref }), {}, { method: 'DELETE' });
    forget();
    try { localStorage.clear(); } catch { /* private mode */ }
    say(t('data.erased'), 'good');
    session.set({ state: 'out' });
  };
  return (
    <Page title={t('data.title')} up="/safety">
      <p className="quiet">{t('data.text')}</p>
      <Waiting {...uses} loading={uses.loading && !uses.data} />
      {uses.data && uses.data.items.length === 0 ? <Empty icon="eyeOff" title={t('data.nobody')} text={t('data.nobody_text')} /> : null}
      {uses.data && uses.data.items.length > 0 ? (
        <Rows title={t('data.uses')}>
          {uses.data.items.map((use, index) => <Row key={index} lead={<Avatar party={use.reader} />} title={nameOf(use.reader, t('data.house'))} text={`${said('data_what', use.what)} · ${said('data_purpose', use.purpose)}`} end={<span className="row-text">{moment(use.newest)}<br />{t('data.times', { count: use.times })}</span>} />)}
        </Rows>
      ) : null}
      {grants.data && grants.data.items.length > 0 ? (
        <Rows title={t('data.apps')}>
          {grants.data.items.map((grant) => <Row key={grant.grant} icon="key" title={grant.name} text={<>{grant.scopes.map((scope) => <Tag key={scope}>{said('scopes', scope.replace(':', '_'))}</Tag>)}</>} end={<Act block={false} size="small" fill="outline" act={async () => { await tell(`/v1/grants/${grant.grant}`, {}, { method: 'DELETE' }); grants.again(); }}>{t('data.revoke')}</Act>} />)}
        </Rows>
      ) : null}
      <Act color="danger" fill="outline" act={async () => setLeaving(true)}>{t('data.erase')}</Act>
      <Sheet open={leaving} title={t('data.erase')} onClose={() => setLeaving(false)}>
        <p className="quiet">{t('data.erase_text')}</p>
        {banks.length > 0 ? <Choice label={t('data.erase_to')} value={to || (banks[0]?.account_ref ?? '')} onChange={setTo} options={banks.map((one) => [one.account_ref, one.iban ?? one.account_ref.slice(0, 8)] as const)} /> : null}
        <label className="check"><input type="checkbox" checked={word} onChange={(event) => setWord(event.target.checked)} /><span>{t('data.erase_sure')}</span></label>
        <Act color="danger" disabled={!word} act={erase}>{t('data.erase_now')}</Act>
      </Sheet>
    </Page>
  );
}
