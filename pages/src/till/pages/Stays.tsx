import { useState } from 'react';
import { type Page as PageOf, tell } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { MoneyInput } from '../../shared/MoneyInput';
import { go } from '../../shared/router';
import { say } from '../../shared/say';
import type { Stay } from '../answers';
import { useShop } from '../here';
import { Act, Amount, Empty, Field, Notice, Page, Row, Rows, Sheet, Tag, Waiting, copy, nameOf } from '../kit';
import { usePlace } from '../place';
import { useLive } from '../useLive';

const tone = (state: string) => (state === 'in_house' ? 'good' : state === 'offered' ? 'warn' : 'plain');
const soon = () => {
  const at = new Date(Date.now() + 86_400_000);
  at.setHours(11, 0, 0, 0);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};

/** Hotel stays: one consent holds the deposit, gives the key and opens the folio. */
export function Stays() {
  const { t, date } = useWords();
  const { card } = useShop();
  const { shop } = usePlace();
  const { data, problem, loading, again } = useLive<PageOf<Stay>>('/v1/shop/stays', { shop, limit: 50 });
  const [offering, setOffering] = useState(false);
  const [asset, setAsset] = useState(card.assets[0] ?? 'EUR');
  const [minor, setMinor] = useState<number | null>(null);
  const [until, setUntil] = useState(soon);
  const offer = async () => {
    const made = await tell<{ stay: string }>('/v1/shop/offer_stay', { shop, asset, deposit_minor: minor, until: new Date(until).toISOString() });
    setOffering(false);
    go(`/stay/${made.stay}`);
  };
  return (
    <Page title={t('stays.title')} up="/more">
      <Act act={async () => setOffering(true)}>{t('stays.offer')}</Act>
      {data ? data.items.length ? (
        <Rows>
          {data.items.map((one) => (
            <Row key={one.stay} to={`/stay/${one.stay}`} icon="key" title={one.guest ? nameOf(one.guest, t('stays.guest')) : t('stays.open_offer')} text={t('stays.until', { date: date(one.until) })} end={<span className="row-money"><Amount minor={one.folio_minor} asset={one.asset} /><Tag tone={tone(one.state)}>{t(`stay_states.${one.state}`)}</Tag></span>} />
          ))}
        </Rows>
      ) : <Empty icon="key" title={t('stays.none')} text={t('stays.none_text')} /> : <Waiting loading={loading} problem={problem} again={again} />}
      <Sheet open={offering} title={t('stays.offer')} onClose={() => setOffering(false)}>
        <p className="quiet">{t('stays.offer_text')}</p>
        <MoneyInput label={t('stays.deposit')} asset={asset} assets={card.assets} onAsset={setAsset} value={minor} onChange={setMinor} />
        <Field label={t('stays.check_out_by')} type="datetime-local" value={until} onChange={setUntil} />
        <Act disabled={!minor || !until} act={offer}>{t('stays.offer')}</Act>
      </Sheet>
    </Page>
  );
}

/** One stay: its code, its folio, its end. */
export function StayPage({ found }: { found: Record<string, string> }) {
  const { t, date, money } = useWords();
  const id = found.id ?? '';
  const { data, problem, loading, again } = useLive<Stay>('/v1/shop/stay', { stay: id });
  const [label, setLabel] = useState('');
  const [minor, setMinor] = useState<number | null>(null);
  const [ending, setEnding] = useState(false);
  if (!data) return <Page title={t('stays.stay')} up="/stays"><Waiting loading={loading} problem={problem} again={again} /></Page>;
  const left = data.deposit_minor - data.folio_minor;
  const link = `${location.origin}/#/stay/${id}`;
  const write = async () => {
    await tell('/v1/shop/charge_folio', { stay: id, amount_minor: minor, label: label.trim() });
    setLabel('');
    setMinor(null);
    again();
  };
  const end = async () => {
    const out = await tell<{ paid_minor: number; released_minor: number }>('/v1/shop/check_out', { stay: id });
    setEnding(false);
    say(t('stays.ended', { paid: money(out.paid_minor, data.asset), back: money(out.released_minor, data.asset) }), 'good');
    again();
  };
  return (
    <Page title={data.guest ? nameOf(data.guest, t('stays.guest')) : t('stays.stay')} up="/stays" side={<Tag tone={tone(data.state)}>{t(`stay_states.${data.state}`)}</Tag>}>
      {data.state === 'offered' ? (
        <section className="card stay-offer">
          <p>{t('stays.scan')}</p>
          <div className="qr-plate"><img src={`/v1/qr?text=${encodeURIComponent(link)}`} alt={t('stays.code')} width="240" height="240" /></div>
          <Act fill="outline" act={async () => { if (await copy(link)) say(t('common.copied'), 'good'); }}>{t('links.copy')}</Act>
        </section>
      ) : null}
      <section className="card total">
        <header><span>{t('stays.folio')}</span><strong><Amount minor={data.folio_minor} asset={data.asset} /></strong></header>
        <div className="sale-bar" role="img" aria-label={t('stays.left', { money: money(left, data.asset) })}><span style={{ width: `${Math.min(100, (100 * data.folio_minor) / Math.max(1, data.deposit_minor))}%` }} /></div>
        <dl>
          <div><dt>{t('stays.deposit')}</dt><dd>{money(data.deposit_minor, data.asset)}</dd></div>
          <div><dt>{t('stays.free')}</dt><dd>{money(left, data.asset)}</dd></div>
          <div><dt>{t('stays.check_out_by')}</dt><dd>{date(data.until)}</dd></div>
        </dl>
      </section>
      {data.folio.length ? <Rows title={t('stays.lines')}>{data.folio.map((line, index) => <Row key={index} icon="receipt" title={line.label ?? t('stays.line')} text={date(line.at)} end={<Amount minor={line.amount_minor} asset={data.asset} />} />)}</Rows> : null}
      {data.state === 'in_house' ? (
        <>
          <form className="card" onSubmit={(event) => event.preventDefault()}>
            <h2>{t('stays.write')}</h2>
            <Field label={t('stays.what')} value={label} onChange={setLabel} placeholder={t('stays.what_hint')} maxLength={80} />
            <MoneyInput label={t('links.amount')} asset={data.asset} value={minor} onChange={setMinor} problem={minor !== null && minor > left ? t('stays.left', { money: money(left, data.asset) }) : undefined} />
            <Act type="submit" fill="outline" disabled={!minor || minor > left || !label.trim()} act={write}>{t('stays.write')}</Act>
          </form>
          <Act act={async () => setEnding(true)}>{t('stays.check_out')}</Act>
        </>
      ) : null}
      {data.state === 'offered' ? <Act color="danger" fill="outline" act={async () => { await tell('/v1/shop/withdraw_stay', { stay: id }); again(); }}>{t('stays.withdraw')}</Act> : null}
      {data.state === 'ended' ? <Notice tone="good" icon="check"><p>{t('stays.ended_text')}</p></Notice> : null}
      <Sheet open={ending} title={t('stays.check_out')} onClose={() => setEnding(false)}>
        <p className="quiet">{t('stays.check_out_text', { paid: money(data.folio_minor, data.asset), back: money(left, data.asset) })}</p>
        <Act act={end}>{t('stays.check_out')}</Act>
      </Sheet>
    </Page>
  );
}
