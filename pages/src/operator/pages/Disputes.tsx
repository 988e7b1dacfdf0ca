import Slider from 'antd/es/slider';
import Input from 'antd/es/input';
import { useState } from 'react';
import { tell } from '../../shared/api';
import { hasWords, useWords } from '../../shared/i18n';
import { MoneyInput } from '../../shared/MoneyInput';
import { go } from '../../shared/router';
import { useAsk } from '../../shared/useAsk';
import type { Dispute, DisputeCard } from '../answers';
import { List, useList } from '../parts/list';
import { Act, Asked, BigMoney, Card, Facts, Money, Page, StateTag, Who, nameOf } from '../parts/ui';

/** Orders in dispute: an arbiter hears both sides and may split. */
export function Disputes() {
  const { t, date } = useWords();
  const list = useList<Dispute>('/v1/escrow/disputes', {}, 20);
  return (
    <Page title={t('nav.disputes')} text={t('disputes.text')}>
      <List<Dispute>
        of={list}
        label={t('nav.disputes')}
        rowKey="order"
        onRow={(row) => go(`/dispute/${row.order}`)}
        columns={[
          { title: t('disputes.what'), key: 'what', render: (_, row) => <strong>{row.note ?? `…${row.order.slice(-6)}`}</strong> },
          { title: t('disputes.held'), key: 'held', align: 'right', render: (_, row) => <Money minor={row.held_minor} asset={row.asset} strong /> },
          { title: t('disputes.buyer'), key: 'buyer', render: (_, row) => <Who party={row.buyer} link={false} /> },
          { title: t('disputes.seller'), key: 'seller', render: (_, row) => <Who party={row.seller} link={false} /> },
          { title: t('disputes.deadline'), key: 'deadline', render: (_, row) => (Date.parse(row.deadline) ? date(row.deadline) : '—') },
        ]}
      />
    </Page>
  );
}

export function DisputePage({ found }: { found: Record<string, string> }) {
  const { t, date, money, number } = useWords();
  const one = useAsk<DisputeCard>('/v1/escrow/order', { order: found.id }, { everyS: 20 });
  const [seller, setSeller] = useState<number | null>(null);
  const [reason, setReason] = useState('');
  return (
    <Page title={one.data?.note ?? t('disputes.dispute')} side={<a href="#/disputes">{t('nav.disputes')}</a>}>
      <Asked of={one}>
        {(data) => {
          const held = data.held_minor;
          const part = Math.min(seller ?? Math.floor(held / 2), held);
          return (
            <div className="op-two">
              <Card title={t('disputes.story')} side={<StateTag state={data.state} words={hasWords(`order_states.${data.state}`) ? t(`order_states.${data.state}`) : data.state} />}>
                <ol className="op-story">
                  {data.timeline.map((step, index) => (
                    <li key={index} data-side={step.party?.id === data.seller.id ? 'seller' : step.party?.id === data.buyer.id ? 'buyer' : ''}>
                      <small>{date(step.at)} · {nameOf(step.party)}</small>
                      <strong>{hasWords(`steps.${step.step}`) ? t(`steps.${step.step}`) : step.step}</strong>
                      {step.text ? <p>{step.text}</p> : step.detail ? <p>{step.detail}</p> : null}
                    </li>
                  ))}
                </ol>
              </Card>
              <div className="op-stack">
                <Card title={t('disputes.held')}>
                  <BigMoney minor={held} asset={data.asset} />
                  <Facts items={[[t('disputes.buyer'), <Who key="b" party={data.buyer} />], [t('disputes.seller'), <Who key="s" party={data.seller} />], [t('disputes.deadline'), Date.parse(data.deadline) ? date(data.deadline) : '—'], ...(data.carrier ? [[t('disputes.carrier'), nameOf(data.carrier)] as const] : [])]} />
                </Card>
                {data.may.includes('decide') ? (
                  <Card title={t('disputes.decide')}>
                    <div className="op-split" aria-hidden="true"><span style={{ flexGrow: part }} data-side="seller" /><span style={{ flexGrow: held - part }} data-side="buyer" /></div>
                    <Slider aria-label={t('disputes.seller_gets')} min={0} max={held} value={part} onChange={setSeller} tooltip={{ formatter: (value) => money(value ?? 0, data.asset) }} />
                    <MoneyInput label={t('disputes.seller_gets')} asset={data.asset} value={part} onChange={(minor) => { if (minor !== null) setSeller(Math.min(minor, held)); }} />
                    <p className="op-sum">{t('disputes.sum', { seller: money(part, data.asset), buyer: money(held - part, data.asset), share: number(held ? part / held : 0, { style: 'percent' }) })}</p>
                    <label className="op-label">{t('cases.reason')}<Input.TextArea rows={3} maxLength={1000} value={reason} onChange={(event) => setReason(event.target.value)} /></label>
                    <Act type="primary" size="large" block act={async () => { await tell('/v1/escrow/decide', { order: found.id, seller_minor: part, reason: reason.trim() || null }); one.again(); }} done={t('disputes.done')}>{t('disputes.decide_now')}</Act>
                  </Card>
                ) : null}
              </div>
            </div>
          );
        }}
      </Asked>
    </Page>
  );
}
