import { useEffect, useState } from 'react';
import { useEvents } from '../../shared/events';
import { useWords } from '../../shared/i18n';
import { say } from '../../shared/say';
import { useSession } from '../../shared/session';
import { go } from '../../shared/router';
import { useAsk } from '../../shared/useAsk';
import { Act, Choice, Notice, Page, Waiting, copy, useNow } from '../ui';

interface Code {
  text: string;
  digits: string;
  until: string;
  qr: string;
  barcode: string;
}

const ROUND = 2 * Math.PI * 16;
/** The door gives SVG text; shown as an image so that nothing in it can run. */
export const pictureOf = (svg: string): string => (svg.startsWith('<') ? `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}` : svg);

/** The code that a till scans (60 s), and the code by which others pay me. */
export function MyCode() {
  const { t } = useWords();
  const [side, setSide] = useState<'pay' | 'get'>('pay');
  return (
    <Page title={t('code.title')}>
      <Choice label={t('code.for')} value={side} onChange={setSide} options={[['pay', t('code.pay')], ['get', t('code.get')]]} />
      {side === 'pay' ? <Rotating /> : <Own />}
    </Page>
  );
}

function Rotating() {
  const { t, number } = useWords();
  const { data, problem, loading, again } = useAsk<Code>('/v1/my-code');
  const now = useNow(500);
  const until = data ? Date.parse(data.until) : 0;
  const left = Math.max(0, Math.ceil((until - now) / 1000));
  const [whole, setWhole] = useState(60);
  useEffect(() => { if (data) setWhole(Math.max(1, Math.round((Date.parse(data.until) - Date.now()) / 1000))); }, [data]);
  useEffect(() => { if (data && left === 0 && !document.hidden) again(); }, [data, left === 0]); // eslint-disable-line react-hooks/exhaustive-deps
  useEvents(['pay.payment_made', 'pay.payment_changed'], ({ data: event }) => {
    if (typeof event.payment === 'string' && event.kind === 'shop') go(`/payment/${event.payment}`);
    else again();
  });
  if (!data) return <Waiting problem={problem} loading={loading} again={again} />;
  return (
    <div className="my-code card">
      <div className="qr-plate"><img src={pictureOf(data.qr)} alt={t('code.qr')} width="260" height="260" /></div>
      <div className="bar-plate"><img src={pictureOf(data.barcode)} alt={t('code.barcode')} /><p className="digits">{data.digits.replace(/(\d{3})(?=\d)/g, '$1 ')}</p></div>
      <div className="ring" role="timer" aria-label={t('code.left', { count: left })}>
        <svg width="40" height="40" viewBox="0 0 40 40" aria-hidden="true"><circle cx="20" cy="20" r="16" /><circle cx="20" cy="20" r="16" strokeDasharray={ROUND} strokeDashoffset={ROUND * (1 - Math.min(1, left / whole))} /></svg>
        <span aria-hidden="true">{t('code.left', { count: left, shown: number(left) })}</span>
      </div>
      <p className="quiet">{t('code.pay_text')}</p>
    </div>
  );
}

function Own() {
  const { t } = useWords();
  const { person, profile } = useSession();
  const whom = profile?.alias ? `@${profile.alias.replace(/^@/, '')}` : (person?.person.id ?? '');
  const link = `${location.origin}/#/send/${whom}`;
  const share = async () => {
    if (navigator.share) await navigator.share({ url: link }).catch(() => undefined);
    else if (await copy(link)) say(t('common.copied'), 'good');
  };
  if (!whom) return <Notice icon="info"><p>{t('common.offline')}</p></Notice>;
  return (
    <div className="my-code card">
      <div className="qr-plate"><img src={`/v1/qr?text=${encodeURIComponent(link)}`} alt={t('code.own_qr', { whom })} width="260" height="260" /></div>
      <h2>{whom}</h2>
      <p className="quiet">{t('code.get_text')}</p>
      <Act fill="outline" act={share}>{t('common.share')}</Act>
    </div>
  );
}
