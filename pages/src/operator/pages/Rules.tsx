import Button from 'antd/es/button';
import InputNumber from 'antd/es/input-number';
import Modal from 'antd/es/modal';
import Segmented from 'antd/es/segmented';
import Select from 'antd/es/select';
import { useState } from 'react';
import { tell } from '../../shared/api';
import { hasWords, useWords } from '../../shared/i18n';
import { MoneyInput } from '../../shared/MoneyInput';
import { COMMON_ASSETS } from '../../shared/money';
import { useAsk } from '../../shared/useAsk';
import type { Parameter, Proposal, Settlement, Tier } from '../answers';
import { List, useList } from '../parts/list';
import { Act, Asked, Card, Money, Page, Who, nameOf } from '../parts/ui';
import { secondsText } from '../seconds';
import { RuleProposals } from './GuardRules';

/** Parameters and limits as they are; a change is a proposal that somebody else approves. */
export function Parameters() {
  const { t, language, number } = useWords();
  const list = useAsk<{ items: Parameter[] }>('/v1/wallet/parameters');
  const [change, setChange] = useState<Parameter>();
  const [value, setValue] = useState<number | null>(null);
  const told = (one: Parameter, of = one.value) => (one.name.endsWith('_s') ? secondsText(of, language) : number(of));
  return (
    <Page title={t('nav.parameters')} text={t('parameters.text')} side={<a href="#/proposals">{t('nav.proposals')}</a>}>
      <Card title={t('parameters.title')}>
        <Asked of={list}>
          {({ items }) => (
            <ul className="op-lines">
              {items.map((one) => (
                <li key={one.name}>
                  <span className="op-why"><strong>{hasWords(`parameter.${one.name}`) ? t(`parameter.${one.name}`) : one.name}</strong><small><code>{one.name}</code> · {told(one, one.least)} – {told(one, one.greatest)}</small></span>
                  <strong className="op-value">{told(one)}</strong>
                  <Button size="small" onClick={() => { setValue(one.value); setChange(one); }}>{t('proposals.propose')}</Button>
                </li>
              ))}
            </ul>
          )}
        </Asked>
      </Card>
      <Limits />
      <Modal open={change !== undefined} title={change ? (hasWords(`parameter.${change.name}`) ? t(`parameter.${change.name}`) : change.name) : ''} onCancel={() => setChange(undefined)} footer={<Act type="primary" disabled={value === null || value === change?.value} act={async () => { await tell('/v1/wallet/propose', { change: { type: 'set_parameter', name: change?.name, value } }); setChange(undefined); }} done={t('proposals.made')}>{t('proposals.propose')}</Act>}>
        {change ? (
          <div className="op-stack">
            <label className="op-label">{t('parameters.new')}<InputNumber className="op-wide" min={change.least} max={change.greatest} precision={0} value={value} onChange={setValue} suffix={change.name.endsWith('_s') ? 's' : undefined} /></label>
            <p>{told(change)} → <strong>{value === null ? '—' : told(change, value)}</strong></p>
            <p className="quiet">{t('proposals.two')}</p>
          </div>
        ) : null}
      </Modal>
    </Page>
  );
}

const FIELDS = ['payment', 'day', 'year', 'balance'] as const;

function Limits() {
  const { t } = useWords();
  const [asset, setAsset] = useState('EUR');
  const tiers = useAsk<{ items: Tier[] }>('/v1/wallet/tiers', { asset });
  const [change, setChange] = useState<Tier>();
  const [wanted, setWanted] = useState<Record<string, number | null>>({});
  return (
    <Card title={t('parameters.limits')} side={<Select aria-label={t('money.currency')} value={asset} onChange={setAsset} options={COMMON_ASSETS.map((one) => ({ value: one, label: one }))} />}>
      <Asked of={tiers}>
        {({ items }) => (
          <div className="op-scroll">
            <table className="op-plain">
              <thead><tr><th>{t('people.tier')}</th>{FIELDS.map((one) => <th key={one}>{t(`limits.${one}`)}</th>)}<th>{t('people.acts')}</th></tr></thead>
              <tbody>
                {items.map((one) => (
                  <tr key={one.tier}>
                    <td><strong>T{one.tier}</strong></td>
                    {FIELDS.map((name) => <td key={name}>{one[`${name}_minor`] ? <Money minor={one[`${name}_minor`]} asset={asset} /> : <span className="quiet">{t('limits.none')}</span>}</td>)}
                    <td><Button size="small" onClick={() => { setWanted(Object.fromEntries(FIELDS.map((name) => [name, one[`${name}_minor`]]))); setChange(one); }}>{t('proposals.propose')}</Button></td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Asked>
      <Modal open={change !== undefined} title={`T${change?.tier} · ${asset}`} onCancel={() => setChange(undefined)} footer={<Act type="primary" act={async () => { await tell('/v1/wallet/propose', { change: { type: 'set_limit', tier: change?.tier, asset, ...Object.fromEntries(FIELDS.map((name) => [`${name}_minor`, wanted[name] ?? 0])) } }); setChange(undefined); }} done={t('proposals.made')}>{t('proposals.propose')}</Act>}>
        <div className="op-stack op-limit-fields" key={`${change?.tier}${asset}`}>{FIELDS.map((name) => <MoneyInput key={name} label={t(`limits.${name}`)} asset={asset} value={wanted[name] ?? null} onChange={(minor) => setWanted((now) => ({ ...now, [name]: minor }))} hint={t('limits.hint')} />)}</div>
      </Modal>
    </Card>
  );
}

const STATES = ['waiting', 'approved', 'rejected'] as const;

/** Changes that one made and another decides. */
export function Proposals() {
  const { t, date, money, language, number } = useWords();
  const [state, setState] = useState<(typeof STATES)[number]>('waiting');
  const settlements = useAsk<{ items: Settlement[] }>('/v1/clearing/settlements', { state: 'waiting', limit: 100 }, { everyS: 30 });
  const list = useList<Proposal>('/v1/wallet/proposals', { state }, 15);
  const words = (one: Proposal) => {
    if (one.kind === 'set_parameter') return t('proposals.set_parameter', { name: hasWords(`parameter.${one.name}`) ? t(`parameter.${one.name}`) : one.name, value: one.name?.endsWith('_s') ? secondsText(one.value ?? 0, language) : number(one.value ?? 0) });
    if (one.kind === 'set_limit') return t('proposals.set_limit', { tier: one.tier, limits: FIELDS.map((name) => `${t(`limits.${name}`)} ${one[`${name}_minor`] ? money(one[`${name}_minor`] ?? 0, one.asset ?? '') : t('limits.none')}`).join(', ') });
    return t(`proposals.${one.kind}`, { name: nameOf(one.person), role: t(`roles.${one.role}`) });
  };
  const decide = (one: Proposal, how: 'approve' | 'reject') => async () => {
    await tell(`/v1/wallet/${how}`, { proposal: one.proposal });
    list.again();
  };
  return (
    <Page title={t('nav.proposals')} text={t('proposals.text')}>
      <div className="op-scroll"><Segmented value={state} onChange={setState} options={STATES.map((one) => ({ value: one, label: t(`states.${one}`) }))} /></div>
      <RuleProposals key={state} state={state} />
      {settlements.data?.items.length ? <p><a href="#/positions">{t('positions.waiting', { count: settlements.data.items.length })}</a></p> : null}
      <List<Proposal>
        of={list}
        label={t('nav.proposals')}
        rowKey="proposal"
        columns={[
          { title: t('proposals.change'), key: 'change', render: (_, row) => <span className="op-wrap">{words(row)}</span> },
          { title: t('proposals.maker'), key: 'maker', render: (_, row) => <Who party={row.maker} /> },
          { title: t('proposals.when'), key: 'when', render: (_, row) => date(row.made) },
          state === 'waiting'
            ? { title: t('people.acts'), key: 'act', render: (_, row) => (row.mine ? <span className="quiet">{t('proposals.mine')}</span> : <span className="op-acts"><Act size="small" type="primary" act={decide(row, 'approve')} done={t('proposals.approved')}>{t('proposals.approve')}</Act><Act size="small" danger act={decide(row, 'reject')} done={t('proposals.rejected')}>{t('proposals.reject')}</Act></span>) }
            : { title: t('proposals.checker'), key: 'checker', render: (_, row) => <Who party={row.checker} /> },
        ]}
      />
    </Page>
  );
}
