import Button from 'antd/es/button';
import Segmented from 'antd/es/segmented';
import { useState } from 'react';
import { AMOUNTS, type Amount, readAttested } from '../../explorer/proof/attested';
import { isoNumberOf } from '../../explorer/proof/assets';
import { unbase64, utf8 } from '../../explorer/proof/bytes';
import { aboutOf, readDocument } from '../../explorer/proof/documents';
import { verify } from '../../explorer/proof/verify';
import type { Page as PageOf } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { useAsk } from '../../shared/useAsk';
import { Days } from './pictures';
import { Act, Asked, Card, Money, StateTag } from './ui';

export type BackedDay = Record<Amount, number> & { day: number; asset: string; at: string; entry: number; statement: number; verdict: 'backed' | 'short' | 'unexplained' };

const TONES = { backed: 'approved', short: 'rejected', unexplained: 'waiting' } as const;
const SHOWN = 100;
const FIRST = 31;
/** Midnight UTC of a day yyyymmdd. */
export const dayOf = (day: number): Date => new Date(Date.UTC(Math.floor(day / 10000), Math.floor(day / 100) % 100 - 1, day % 100));

/** What was on record of a day, checked here: the figures that the ledger signed for are the ones that are shown. */
export async function prove(shown: BackedDay): Promise<{ ledger: string; entry: number }> {
  const reply = await fetch(`/v1/bank/backing_days/${shown.day}/receipt`, { credentials: 'same-origin' });
  const document = readDocument(utf8(await reply.text()));
  if (document.kind !== 'receipt') throw new Error('not a receipt');
  const proven = await verify(document);
  const about = aboutOf(document);
  const attested = 'reply' in about ? readAttested(unbase64(about.reply.body, 'reply.body')) : undefined;
  const item = attested?.items.find((one) => Number(one.asset) === isoNumberOf(shown.asset));
  const same = item && AMOUNTS.every((name) => item[name] === BigInt(shown[name])) && item.verdict === shown.verdict;
  if (!same || attested?.day !== shown.day) throw new Error('other figures');
  return { ledger: proven.ledgerId, entry: Number(document.head.entry) };
}

/** How customers' money was backed, day by day: a picture, a table, and proof of each day. */
export function BackingDays({ assets }: { assets: readonly string[] }) {
  const { t } = useWords();
  const [chosen, setChosen] = useState('');
  const asset = assets.includes(chosen) ? chosen : (assets[0] ?? '');
  const days = useAsk<PageOf<BackedDay>>(asset ? '/v1/bank/backing_days' : null, { asset, limit: SHOWN }, { everyS: 300 });
  if (!asset) return null;
  return (
    <Card title={t('backing_days.title')} side={assets.length > 1 ? <Segmented aria-label={t('money.currency')} value={asset} onChange={setChosen} options={[...assets]} /> : <span className="quiet">{asset}</span>}>
      <p className="quiet">{t('backing_days.text')}</p>
      <Asked of={days}>{({ items }) => (items.length ? <Told key={asset} items={items} /> : <p>{t('backing_days.none')}</p>)}</Asked>
    </Card>
  );
}

function Told({ items }: { items: readonly BackedDay[] }) {
  const { t, date, number, money } = useWords();
  const [all, setAll] = useState(false);
  const [proofs, setProofs] = useState<Record<number, { entry: number } | 'wrong'>>({});
  const check = (one: BackedDay) => async () => {
    try {
      const found = await prove(one);
      setProofs((now) => ({ ...now, [one.day]: found }));
    } catch {
      setProofs((now) => ({ ...now, [one.day]: 'wrong' }));
    }
  };
  const told = (day: number) => date(dayOf(day), { dateStyle: 'medium', timeZone: 'UTC' });
  const oldestFirst = [...items].reverse();
  const newest = items[0] as BackedDay;
  const whole = items.filter((one) => one.verdict === 'backed').length;
  return (
    <>
      <p><strong>{t('backing_days.whole', { count: items.length, whole: number(whole), shown: number(items.length) })}</strong></p>
      <Days
        label={t('backing_days.picture', { from: told((oldestFirst[0] as BackedDay).day), to: told(newest.day), customers: money(newest.customers_minor, newest.asset), banks: money(newest.nostro_minor, newest.asset) })}
        days={oldestFirst.map((one) => ({ owed: one.customers_minor, there: one.nostro_minor, good: one.verdict === 'backed' }))}
        from={told((oldestFirst[0] as BackedDay).day)}
        to={told(newest.day)}
      />
      <ul className="op-legend" aria-hidden="true"><li data-what="customers">{t('backing_days.customers')}</li><li data-what="banks">{t('backing_days.banks')}</li></ul>
      <div className="op-scroll" tabIndex={0} role="region" aria-label={t('backing_days.title')}>
        <table className="op-plain op-days">
          <thead><tr><th>{t('backing_days.day')}</th><th>{t('backing_days.verdict')}</th><th className="op-right">{t('backing_days.customers')}</th><th className="op-right">{t('backing_days.banks')}</th><th className="op-right">{t('backing_days.transit')}</th><th className="op-right">{t('backing_days.difference')}</th><th>{t('backing_days.proof')}</th></tr></thead>
          <tbody>
            {(all ? items : items.slice(0, FIRST)).map((one) => {
              const proof = proofs[one.day];
              return (
                <tr key={one.day}>
                  <th scope="row">{told(one.day)}</th>
                  <td><StateTag state={TONES[one.verdict]} words={t(`backing_days.${one.verdict}`)} /></td>
                  <td className="op-right"><Money minor={one.customers_minor} asset={one.asset} /></td>
                  <td className="op-right"><Money minor={one.nostro_minor} asset={one.asset} /></td>
                  <td className="op-right"><Money minor={one.transit_minor} asset={one.asset} /></td>
                  <td className="op-right"><Money minor={one.difference_minor} asset={one.asset} /></td>
                  <td>
                    <span className="op-proof">
                      {proof === 'wrong' ? <StateTag state="rejected" words={t('backing_days.not_proved')} /> : proof ? <StateTag state="approved" words={t('backing_days.proved', { entry: number(proof.entry) })} /> : <Act size="small" act={check(one)} aria-label={t('backing_days.check_day', { day: told(one.day) })}>{t('backing_days.check')}</Act>}
                      <a href={`/v1/bank/backing_days/${one.day}/receipt`} download aria-label={t('backing_days.file_of', { day: told(one.day) })}>{t('backing_days.file')}</a>
                    </span>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {!all && items.length > FIRST ? <Button onClick={() => setAll(true)}>{t('common.more')}</Button> : null}
    </>
  );
}
