import Button from 'antd/es/button';
import Input from 'antd/es/input';
import Modal from 'antd/es/modal';
import Segmented from 'antd/es/segmented';
import Select from 'antd/es/select';
import { useState } from 'react';
import { ask, tell } from '../../shared/api';
import type { Party } from '../../shared/answers';
import { useWords } from '../../shared/i18n';
import { go } from '../../shared/router';
import { sayProblem } from '../../shared/say';
import { useAsk } from '../../shared/useAsk';
import { type PersonCard, type PersonItem, ROLES } from '../answers';
import { List, useList } from '../parts/list';
import { Act, Asked, Card, Facts, Money, Page, StateTag, Tiles, Who } from '../parts/ui';

const STATES = ['', 'open', 'frozen', 'closed'] as const;
const FREEZES = ['fraud', 'court', 'lost', 'other'] as const;

/** People by id, state or @name; account numbers lead to the kernel's own record. */
export function People() {
  const { t, date } = useWords();
  const [state, setState] = useState<(typeof STATES)[number]>('');
  const [text, setText] = useState('');
  const prefix = /^[0-9a-f]{1,32}$/.test(text) ? text : '';
  const list = useList<PersonItem>('/v1/wallet/people', { state, prefix });
  const search = async (typed: string) => {
    const wanted = typed.trim();
    if (!wanted || prefix) return;
    try {
      if (/^[0-9]+$/.test(wanted) || /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(wanted)) return go(`/account/${wanted}`);
      const found = await ask<Party>('/v1/parties', { find: wanted });
      go(`/person/${found.id}`);
    } catch (error) {
      sayProblem(error);
    }
  };
  return (
    <Page title={t('nav.people')} text={t('people.text')}>
      <div className="op-bar">
        <Input.Search className="op-search" allowClear placeholder={t('people.search')} aria-label={t('people.search')} value={text} onChange={(event) => setText(event.target.value.trim())} onSearch={(typed) => void search(typed)} />
        <Segmented value={state} onChange={setState} options={STATES.map((one) => ({ value: one, label: one ? t(`person_states.${one}`) : t('common.all') }))} />
      </div>
      <List<PersonItem>
        of={list}
        label={t('nav.people')}
        rowKey={(row) => row.person.id}
        onRow={(row) => go(`/person/${row.person.id}`)}
        columns={[
          { title: t('people.person'), key: 'person', render: (_, row) => <Who party={row.person} link={false} /> },
          { title: t('people.tier'), key: 'tier', render: (_, row) => `T${row.tier}` },
          { title: t('people.state'), key: 'state', render: (_, row) => <><StateTag state={row.state === 'open' ? 'approved' : row.state} words={t(`person_states.${row.state}`)} />{row.frozen_by ? <small className="quiet">{t(`frozen_by.${row.frozen_by === 'operator' ? 'operator' : 'person'}`)}{row.reason ? ` · ${t(`freezes.${row.reason}`)}` : ''}</small> : null}</> },
          { title: t('people.since'), key: 'since', render: (_, row) => date(row.opened, { dateStyle: 'medium' }) },
        ]}
      />
    </Page>
  );
}

export function PersonPage({ found }: { found: Record<string, string> }) {
  const { t, date } = useWords();
  const id = found.id ?? '';
  const one = useAsk<PersonCard>('/v1/wallet/person', { person: id });
  const [freezing, setFreezing] = useState(false);
  const [reason, setReason] = useState<(typeof FREEZES)[number]>('fraud');
  return (
    <Page title={one.data?.person.person.name || t('people.person')} side={<a href="#/people">{t('nav.people')}</a>}>
      <Asked of={one}>
        {(data) => (
          <>
            <Tiles items={[[t('people.state'), t(`person_states.${data.person.state}`), data.person.state === 'open' ? 'good' : 'bad'], [t('people.tier'), `T${data.person.tier}`], [t('people.devices'), data.devices, data.devices === 0 ? 'warn' : undefined], [t('people.trusted'), data.trusted], [t('people.aliases'), data.aliases], [t('people.contacts'), data.contacts]]} />
            <div className="op-two">
              <div className="op-stack">
                <Card title={t('people.accounts')}>
                  <div className="op-scroll">
                    <table className="op-plain">
                      <thead><tr><th>{t('money.currency')}</th><th>{t('people.balance')}</th><th>{t('people.free')}</th><th>{t('people.held')}</th><th>{t('people.account')}</th></tr></thead>
                      <tbody>{data.accounts.map((each) => <tr key={each.account}><td><strong>{each.asset}</strong></td><td><Money minor={each.balance_minor} asset={each.asset} strong /></td><td><Money minor={each.available_minor} asset={each.asset} /></td><td><Money minor={each.held_minor} asset={each.asset} /></td><td><a href={`#/account/${BigInt(`0x${each.account}`)}`}><code>…{each.account.slice(-8)}</code></a></td></tr>)}</tbody>
                    </table>
                  </div>
                </Card>
                <Card title={t('people.facts')}><Facts items={[[t('people.id'), <code key="i">{id}</code>], [t('people.since'), date(data.person.opened)], [t('nav.roles'), data.roles.map((role) => t(`roles.${role}`)).join(', ') || '—']]} /></Card>
              </div>
              <Card title={t('people.acts')}>
                <div className="op-stack">
                  <label className="op-label">{t('people.set_tier')}<Segmented block value={data.person.tier} onChange={(tier) => { tell('/v1/wallet/set_tier', { person: id, tier }).then(one.again, sayProblem); }} options={[0, 1, 2].map((tier) => ({ value: tier, label: `T${tier}` }))} /></label>
                  <p className="quiet">{t('people.tier_text')}</p>
                  {data.person.frozen_by === 'operator' ? (
                    <Act block act={async () => { await tell('/v1/wallet/unfreeze_person', { person: id }); one.again(); }} done={t('people.thawed')}>{t('people.unfreeze')}</Act>
                  ) : data.person.state !== 'closed' ? <Button danger block onClick={() => setFreezing(true)}>{t('people.freeze')}</Button> : null}
                </div>
              </Card>
            </div>
          </>
        )}
      </Asked>
      <Modal open={freezing} title={t('people.freeze')} onCancel={() => setFreezing(false)} footer={<Act type="primary" danger act={async () => { await tell('/v1/wallet/freeze_person', { person: id, reason }); setFreezing(false); one.again(); }} done={t('people.frozen')}>{t('people.freeze')}</Act>}>
        <p>{t('people.freeze_text')}</p>
        <label className="op-label">{t('people.freeze_why')}<Select value={reason} onChange={setReason} options={FREEZES.map((value) => ({ value, label: t(`freezes.${value}`) }))} /></label>
      </Modal>
    </Page>
  );
}

interface KernelAccount {
  id: string;
  asset: string;
  code: number;
  flags: number;
  debits_posted: string;
  credits_posted: string;
  debits_held: string;
  credits_held: string;
  transfers: string;
  opened: string;
}

/** One account as the kernel has it: exact numbers, as text. */
export function AccountPage({ found }: { found: Record<string, string> }) {
  const { t, date } = useWords();
  const one = useAsk<KernelAccount>(`/v1/accounts/${found.id}`);
  return (
    <Page title={t('people.account')} side={<a href="#/people">{t('nav.people')}</a>}>
      <Asked of={one}>
        {(data) => (
          <Card title={<code>{data.id}</code>}>
            <Facts items={[[t('money.currency'), data.asset], [t('account.code'), data.code], [t('account.flags'), data.flags], [t('account.debits'), <code key="d">{data.debits_posted}</code>], [t('account.credits'), <code key="c">{data.credits_posted}</code>], [t('account.debits_held'), <code key="h">{data.debits_held}</code>], [t('account.credits_held'), <code key="k">{data.credits_held}</code>], [t('account.transfers'), data.transfers], [t('people.since'), date(data.opened)]]} />
            <p className="quiet">{t('account.minor')}</p>
          </Card>
        )}
      </Asked>
    </Page>
  );
}

/** Who may do what in the institution; changing it takes two people. */
export function Roles() {
  const { t } = useWords();
  const list = useAsk<{ items: { person: Party; role: string }[] }>('/v1/wallet/roles');
  const [alias, setAlias] = useState('');
  const [role, setRole] = useState<(typeof ROLES)[number]>('operator');
  const propose = async (type: 'appoint' | 'dismiss', person: string, what: string) => {
    await tell('/v1/wallet/propose', { change: { type, person, role: what } });
  };
  return (
    <Page title={t('nav.roles')} text={t('roles_page.text')}>
      <Asked of={list}>
        {(data) => (
          <div className="op-grid">
            {ROLES.map((each) => (
              <Card key={each} title={t(`roles.${each}`)}>
                <p className="quiet">{t(`roles_text.${each}`)}</p>
                <ul className="op-lines">
                  {data.items.filter((one) => one.role === each).map((one) => <li key={one.person.id}><Who party={one.person} /><Act size="small" act={() => propose('dismiss', one.person.id, each)} done={t('proposals.made')}>{t('roles_page.dismiss')}</Act></li>)}
                </ul>
              </Card>
            ))}
          </div>
        )}
      </Asked>
      <Card title={t('roles_page.appoint')}>
        <div className="op-bar">
          <Input prefix="@" aria-label={t('sign_in.alias')} placeholder={t('roles_page.alias')} value={alias} onChange={(event) => setAlias(event.target.value.toLowerCase().replace(/^@/, ''))} />
          <Select aria-label={t('nav.roles')} value={role} onChange={setRole} options={ROLES.map((value) => ({ value, label: t(`roles.${value}`) }))} />
          <Act type="primary" disabled={alias.length < 3} act={async () => { const person = await ask<Party>('/v1/parties', { find: `@${alias}` }); await propose('appoint', person.id, role); setAlias(''); }} done={t('proposals.made')}>{t('proposals.propose')}</Act>
        </div>
      </Card>
    </Page>
  );
}
