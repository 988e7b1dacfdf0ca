import { useEffect, useState } from 'react';
import { type Page as PageOf, tell } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { say } from '../../shared/say';
import { useAsk } from '../../shared/useAsk';
import { percentText } from '../amount';
import { MAY, type Settlement, type Tariff } from '../answers';
import { useShop } from '../here';
import { Act, Amount, Empty, Notice, Page, Pick, Row, Rows, Tag, Waiting } from '../kit';
import { usePlace } from '../place';
import { useLive } from '../useLive';

/** What taking a payment costs: public, for everybody the same. */
export function Tariffs() {
  const { t, date, money } = useWords();
  const { card } = useShop();
  const { data, problem, loading, again } = useAsk<PageOf<Tariff>>('/v1/shop/tariffs', { limit: 100 });
  const mine = data?.items.filter((one) => one.name === card.tariff && one.state === 'current') ?? [];
  const others = data?.items.filter((one) => !mine.includes(one) && one.state !== 'past') ?? [];
  const words = (one: Tariff) => [one.rate_per_100000 ? `${percentText(one.rate_per_100000)} %` : '', one.fixed_minor ? money(one.fixed_minor, one.asset) : ''].filter(Boolean).join(' + ') || t('tariffs.free');
  return (
    <Page title={t('tariffs.title')} up="/more">
      <p className="quiet">{t('tariffs.text')}</p>
      {data ? null : <Waiting loading={loading} problem={problem} again={again} />}
      {mine.map((one) => <section key={one.asset} className="card total"><header><span>{t('tariffs.yours')} · {one.asset}</span><strong>{words(one)}</strong></header><p className="quiet">{t('tariffs.since', { date: date(one.from, { dateStyle: 'medium' }) })}</p></section>)}
      {data && mine.length === 0 ? <Empty icon="scale" title={t('tariffs.none')} text={t('tariffs.none_text')} /> : null}
      {others.length ? <Rows title={t('tariffs.others')}>{others.map((one) => <Row key={`${one.name}${one.asset}${one.from}`} icon="scale" title={`${one.name} · ${one.asset}`} text={t('tariffs.since', { date: date(one.from, { dateStyle: 'medium' }) })} end={<span className="row-money"><span>{words(one)}</span>{one.state === 'announced' ? <Tag tone="warn">{t('tariffs.announced')}</Tag> : null}</span>} />)}</Rows> : null}
    </Page>
  );
}

interface Linked {
  account_ref: string;
  iban: string | null;
}

/** When and where the shop's money goes. */
export function SettlementPage() {
  const { t, date, number } = useWords();
  const { card, role, again } = useShop();
  const { shop } = usePlace();
  const list = useLive<PageOf<Settlement>>(MAY.manage(role) ? '/v1/shop/settlements' : null, { shop, limit: 20 });
  const linked = useAsk<{ items: Linked[] }>(MAY.own(role) ? '/v1/bank/accounts' : null);
  const [days, setDays] = useState('1');
  const [account, setAccount] = useState('');
  const [cut, setCut] = useState('0');
  useEffect(() => {
    setDays(String(card.settlement_days ?? 1));
    setCut(String(card.settlement_cut_minute ?? 0));
  }, [card.settlement_days, card.settlement_cut_minute]);
  const save = async () => {
    await tell('/v1/shop/set_settlement', { shop, days: Number(days), account_ref: account || null, cut_minute: Number(cut) });
    say(t('settle.saved'), 'good');
    again();
  };
  const hours = Array.from({ length: 24 }, (_, hour) => String(hour * 60));
  return (
    <Page title={t('settle.title')} up="/more">
      {card.accounts.map((one) => (
        <section key={one.asset} className="card total">
          <header><span>{t('settle.here')}</span><strong><Amount minor={one.balance_minor} asset={one.asset} /></strong></header>
          <dl>
            <div><dt>{t('settle.on_its_way')}</dt><dd><Amount minor={one.waiting_minor} asset={one.asset} /></dd></div>
            <div><dt>{t('settle.held')}</dt><dd><Amount minor={one.held_minor} asset={one.asset} /></dd></div>
          </dl>
          {MAY.own(role) && card.settles_to_bank ? <Act fill="outline" size="middle" act={async () => { await tell('/v1/shop/settle_now', { shop, asset: one.asset }); say(t('settle.cut_done'), 'good'); again(); list.again(); }}>{t('settle.now')}</Act> : null}
        </section>
      ))}
      {list.data?.items.length ? (
        <Rows title={t('settle.list')}>
          {list.data.items.map((one) => <Row key={one.settlement} icon="bank" title={t('settle.of', { date: date(one.cut, { dateStyle: 'medium' }) })} text={t('settle.due', { date: date(one.due) })} end={<span className="row-money"><Amount minor={one.state === 'paid' ? one.paid_minor : one.amount_minor} asset={one.asset} /><Tag tone={one.state === 'paid' ? 'good' : one.state === 'failed' ? 'bad' : 'warn'}>{t(`settle_states.${one.state}`)}</Tag></span>} />)}
        </Rows>
      ) : null}
      {MAY.own(role) ? (
        <form className="card" onSubmit={(event) => event.preventDefault()}>
          <h2>{t('settle.rule')}</h2>
          <p className="quiet">{t(card.settles_to_bank ? 'settle.to_bank' : 'settle.stays')}</p>
          <Pick label={t('settle.account')} value={account} onChange={setAccount} options={[['', t('settle.keep')], ...(linked.data?.items ?? []).map((one) => [one.account_ref, one.iban ?? `…${one.account_ref.slice(-6)}`] as const)]} />
          {linked.data && linked.data.items.length === 0 ? <Notice icon="bank"><p>{t('settle.link_first')}</p></Notice> : null}
          <div className="pair">
            <Pick label={t('settle.days')} value={days} onChange={setDays} options={[0, 1, 2, 3, 7, 14, 30].map((one) => [String(one), `T+${number(one)}`] as const)} />
            <Pick label={t('settle.cut')} value={cut} onChange={setCut} options={(hours.includes(cut) ? hours : [...hours, cut]).map((one) => [one, `${String(Math.floor(Number(one) / 60)).padStart(2, '0')}:${String(Number(one) % 60).padStart(2, '0')} UTC`] as const)} />
          </div>
          <Act type="submit" act={save}>{t('common.save')}</Act>
        </form>
      ) : <Notice icon="lock"><p>{t('settle.owners')}</p></Notice>}
    </Page>
  );
}
