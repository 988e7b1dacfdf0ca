import { useState } from 'react';
import type { Party } from '../../shared/answers';
import type { Page as Listed } from '../../shared/api';
import { hasWords, useWords } from '../../shared/i18n';
import { href } from '../../shared/router';
import { useAsk } from '../../shared/useAsk';
import { Amount, Avatar, Choice, Empty, Page, Row, Rows, Tag, Waiting, nameOf } from '../ui';

export interface OrderLine {
  order: string;
  buyer: Party;
  seller: Party;
  asset: string;
  amount_minor: number;
  held_minor: number;
  state: string;
  at: string;
  deadline: string;
  note?: string | null;
}

export const tone = (state: string) => (state === 'disputed' || state === 'lost' ? 'bad' : ['released', 'confirmed', 'settled', 'delivered'].includes(state) ? 'good' : state === 'refunded' || state === 'cancelled' ? 'plain' : 'warn');
/** Words for a name of the ledger; one that is newer than this page shows as it is. */
export const wordsFor = (t: (key: string) => string, group: string, name: string) => (hasWords(`${group}.${name}`) ? t(`${group}.${name}`) : name.replaceAll('_', ' '));

/** Safe orders: the money waits until the goods are here. One sees one's own, and those of shops that one works for. */
export function Orders() {
  const { t, moment } = useWords();
  const [role, setRole] = useState('buyer');
  const shops = useAsk<Listed<{ shop: Party }>>('/v1/shop/shops', { limit: 20 });
  const mine = (shops.data?.items ?? []).map((one) => [one.shop.id, nameOf(one.shop, t('party.kind_shop'))] as const);
  const buying = role === 'buyer';
  const asked = { role: buying ? 'buyer' : 'seller', party: mine.some(([id]) => id === role) ? role : undefined, limit: 50 };
  const { data, ...rest } = useAsk<Listed<OrderLine>>('/v1/escrow/orders', asked, { on: ['escrow.'], everyS: asked.party ? 20 : undefined });
  const begin = buying ? (['/buy', 'orders.new'] as const) : (['/sell', 'orders.offer'] as const);
  return (
    <Page title={t('tabs.orders')} top side={<a className="link" href={href(begin[0])}>{t(begin[1])}</a>}>
      <Rows><Row to="/pools" icon="people" title={t('pools.title')} text={t('pools.short')} /></Rows>
      <Choice label={t('orders.whose')} value={role} onChange={setRole} options={[['buyer', t('orders.buyer')], ['seller', t('orders.seller')], ...mine]} />
      <Waiting {...rest} loading={rest.loading && !data} />
      {data && data.items.length === 0 ? <Empty icon="box" title={t('orders.none')} text={t(buying ? 'orders.none_text' : 'orders.none_sold_text')}><a className="button" href={href(begin[0])}>{t(begin[1])}</a></Empty> : null}
      {data && data.items.length > 0 ? (
        <Rows>
          {data.items.map((order) => {
            const other = buying ? order.seller : order.buyer;
            return <Row key={order.order} to={`/order/${order.order}`} lead={<Avatar party={other} />} title={order.note || nameOf(other, t('common.unknown_person'))} text={`${nameOf(other, t('common.unknown_person'))} · ${moment(order.at)}`} end={<span className="row-money"><Amount minor={order.amount_minor} asset={order.asset} /><Tag tone={tone(order.state)}>{wordsFor(t, 'order_states', order.state)}</Tag></span>} />;
          })}
        </Rows>
      ) : null}
    </Page>
  );
}
