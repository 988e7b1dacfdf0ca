import { useState } from 'react';
import type { Party } from '../../shared/answers';
import { type Page as Listed, tell } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { MoneyInput } from '../../shared/MoneyInput';
import { say } from '../../shared/say';
import { useAsk } from '../../shared/useAsk';
import { PartyCard, PartyField } from '../parts/PartyField';
import { usePurses } from '../parts/usePurses';
import { Act, Amount, Avatar, Choice, Empty, Field, Page, Row, Rows, Sheet, Waiting, nameOf } from '../ui';
import { PURPOSES, type Purpose } from './Send';

interface Order {
  order: string;
  payee: Party;
  asset: string;
  amount_minor: number;
  note?: string | null;
  every: 'once' | 'day' | 'week' | 'month';
  times: number;
  runs: number;
  failures: number;
  due: string;
  state: string;
}

export function Standing() {
  const { t, date } = useWords();
  const { data, ...rest } = useAsk<Listed<Order>>('/v1/pay/orders', { limit: 100 }, { on: ['pay.'] });
  const [making, setMaking] = useState(false);
  const [shown, setShown] = useState<Order>();
  return (
    <Page title={t('standing.title')} side={<button type="button" className="link" onClick={() => setMaking(true)}>{t('common.add')}</button>}>
      <Waiting {...rest} loading={rest.loading && !data} />
      {data && data.items.length === 0 ? <Empty icon="repeat" title={t('standing.none')} text={t('standing.none_text')}><button type="button" className="button" onClick={() => setMaking(true)}>{t('standing.new')}</button></Empty> : null}
      {data && data.items.length > 0 ? (
        <Rows>
          {data.items.map((order) => (
            <Row key={order.order} onClick={() => setShown(order)} lead={<Avatar party={order.payee} />} title={order.note || nameOf(order.payee, t('common.unknown_person'))} text={`${t(`every.${order.every}`)} · ${t('standing.next', { at: date(order.due, { dateStyle: 'medium' }) })}`} end={<Amount minor={order.amount_minor} asset={order.asset} />} />
          ))}
        </Rows>
      ) : null}
      <Sheet open={making} title={t('standing.new')} onClose={() => setMaking(false)}><New onDone={() => { setMaking(false); rest.again(); }} /></Sheet>
      <Sheet open={shown !== undefined} title={shown?.note || t('standing.one')} onClose={() => setShown(undefined)}>
        {shown ? (
          <>
            <PartyCard party={shown.payee} />
            <dl className="facts">
              <div><dt>{t('send.amount')}</dt><dd><Amount minor={shown.amount_minor} asset={shown.asset} /></dd></div>
              <div><dt>{t('standing.every')}</dt><dd>{t(`every.${shown.every}`)}</dd></div>
              <div><dt>{t('standing.runs')}</dt><dd>{t('standing.runs_of', { count: shown.runs })}</dd></div>
            </dl>
            <Act color="danger" fill="outline" act={async () => { await tell('/v1/pay/cancel_order', { order: shown.order }); say(t('standing.cancelled'), 'good'); setShown(undefined); rest.again(); }}>{t('standing.cancel')}</Act>
          </>
        ) : null}
      </Sheet>
    </Page>
  );
}

function New({ onDone }: { onDone: () => void }) {
  const { t } = useWords();
  const { asset, assets, choose } = usePurses();
  const [party, setParty] = useState<Party>();
  const [minor, setMinor] = useState<number | null>(null);
  const [every, setEvery] = useState<Order['every']>('month');
  const [first, setFirst] = useState(() => new Date(Date.now() + 86_400_000).toISOString().slice(0, 10));
  const [purpose, setPurpose] = useState<Purpose | ''>('');
  const [note, setNote] = useState('');
  if (!party) return <PartyField label={t('send.who')} onFound={setParty} />;
  const make = async () => {
    await tell('/v1/pay/schedule', { payee: party.id, asset, amount_minor: minor, purpose, note: note.trim() || null, first: `${first}T09:00:00Z`, every, times: every === 'once' ? 1 : 0 });
    say(t('standing.made'), 'good');
    onDone();
  };
  return (
    <form className="stack" onSubmit={(event) => event.preventDefault()}>
      <PartyCard party={party} onChange={() => setParty(undefined)} />
      <MoneyInput label={t('send.amount')} asset={asset} assets={assets} onAsset={choose} value={minor} onChange={setMinor} />
      <Choice label={t('standing.every')} value={every} onChange={setEvery} options={(['month', 'week', 'day', 'once'] as const).map((one) => [one, t(`every.${one}`)] as const)} />
      <Field label={t('standing.first')} type="date" value={first} onChange={setFirst} />
      <Choice label={t('send.purpose')} value={purpose} onChange={setPurpose} options={PURPOSES.filter((one) => one !== 'fee_for_money').map((one) => [one, t(`purposes.${one}`)] as const)} />
      <Field label={`${t('send.note')} (${t('common.optional')})`} value={note} onChange={setNote} maxLength={200} />
      <Act type="submit" disabled={!minor || !first || purpose === ''} act={make}>{t('standing.make')}</Act>
    </form>
  );
}
