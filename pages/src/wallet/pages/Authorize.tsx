import { useState } from 'react';
import { tell } from '../../shared/api';
import { hasWords, useWords } from '../../shared/i18n';
import { search } from '../../shared/router';
import { useSession } from '../../shared/session';
import { useAsk } from '../../shared/useAsk';
import { Icon } from '../../shared/icons';
import { Act, Notice, Page, Waiting } from '../ui';

interface Consent {
  name: string;
  redirect_host: string;
  scopes: { scope: string; words: string }[];
}

/** Another app asks to act for the person: who asks, for what exactly, and less than all may be given. */
export function Authorize({ place }: { place: string }) {
  const { t } = useWords();
  const { profile } = useSession();
  const request = search(place).get('request') ?? '';
  const path = `/v1/oauth/requests/${encodeURIComponent(request)}`;
  const { data, ...rest } = useAsk<Consent>(request ? path : null);
  const [less, setLess] = useState<ReadonlySet<string>>(new Set());
  const end = (verb: string, body: object) => async () => {
    const { redirect } = await tell<{ redirect: string }>(`${path}/${verb}`, body);
    location.assign(redirect);
  };
  if (!data) return <Page title={t('authorize.title')}>{request ? <Waiting {...rest} /> : <Notice tone="bad" icon="warn"><p>{t('codes.not_found')}</p></Notice>}</Page>;
  const given = data.scopes.filter(({ scope }) => !less.has(scope)).map(({ scope }) => scope);
  return (
    <Page title={t('authorize.asks', { name: data.name })}>
      <Notice tone="warn" icon="info"><p>{t('authorize.unchecked', { host: data.redirect_host })}</p></Notice>
      <section className="card">
        <h2>{t('authorize.what')}</h2>
        {data.scopes.map(({ scope, words }) => {
          const key = `scopes.${scope.replace(':', '_')}`;
          return (
            <label key={scope} className="check">
              <input type="checkbox" checked={!less.has(scope)} onChange={(event) => setLess((now) => { const next = new Set(now); if (event.target.checked) next.delete(scope); else next.add(scope); return next; })} />
              <span><strong>{hasWords(key) ? t(key) : words}</strong>{scope.endsWith(':write') || scope.endsWith(':charge') ? <> <Icon name="warn" size={16} /></> : null}</span>
            </label>
          );
        })}
      </section>
      <p className="quiet">{t('authorize.revoke', { name: profile?.name ?? '' })}</p>
      <Act disabled={given.length === 0} act={end('approve', { scopes: given })}>{t('authorize.allow')}</Act>
      <Act fill="outline" act={end('deny', {})}>{t('authorize.deny')}</Act>
    </Page>
  );
}
