import Button from 'antd/es/button';
import Input from 'antd/es/input';
import Modal from 'antd/es/modal';
import Segmented from 'antd/es/segmented';
import { useState } from 'react';
import { tell } from '../../shared/api';
import { hasWords, useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';
import { go } from '../../shared/router';
import { useAsk } from '../../shared/useAsk';
import type { Case } from '../answers';
import { Ring } from '../parts/pictures';
import { List, useList } from '../parts/list';
import { Act, Asked, BigMoney, Card, Facts, Money, Page, StateTag, Who, nameOf } from '../parts/ui';

const STATES = ['open', 'frozen', 'released', 'returned', 'recalled', 'closed'] as const;

/** Cases of the guard, oldest first: whoever waits longest comes first. */
export function Cases() {
  const { t, date } = useWords();
  const [state, setState] = useState<(typeof STATES)[number]>('open');
  const list = useList<Case>('/v1/guard/cases', { state }, 15);
  return (
    <Page title={t('nav.cases')} text={t('cases.text')}>
      <div className="op-scroll"><Segmented value={state} onChange={setState} options={STATES.map((one) => ({ value: one, label: t(`states.${one}`) }))} /></div>
      <List<Case>
        of={list}
        label={t('nav.cases')}
        rowKey="case"
        onRow={(row) => go(`/case/${row.case}`)}
        columns={[
          { title: t('cases.why'), key: 'why', render: (_, row) => <span className="op-why"><strong>{t(`case_kinds.${row.kind}`)}</strong><small>{row.reasons.map((one) => reasonTitle(t, one.name)).join(' · ')}</small></span> },
          { title: t('cases.amount'), key: 'amount', align: 'right', render: (_, row) => <Money minor={row.amount_minor} asset={row.asset} strong /> },
          { title: t('cases.payer'), key: 'payer', render: (_, row) => <Who party={row.payer} link={false} /> },
          { title: t('cases.payee'), key: 'payee', render: (_, row) => (row.kind === 'ring' ? t('cases.members', { count: row.members.length }) : <Who party={row.payee} link={false} />) },
          { title: t('cases.until'), key: 'until', render: (_, row) => (row.until ? date(row.until) : row.decided ? date(row.decided) : '—') },
          { title: t('cases.marks'), key: 'marks', render: (_, row) => (row.appeals.length ? <StateTag state="waiting" words={t('cases.appealed')} /> : null) },
        ]}
      />
    </Page>
  );
}

type T = ReturnType<typeof useWords>['t'];
const reasonTitle = (t: T, name: string) => (hasWords(`reasons.${name}.title`) ? t(`reasons.${name}.title`) : name.replaceAll('_', ' '));
const reasonText = (t: T, one: { name: string; words: string }) => (hasWords(`reasons.${one.name}.text`) ? t(`reasons.${one.name}.text`) : one.words);

type Decision = 'release' | 'return' | 'freeze_payee' | 'close';

/** One case, in plain words, and what can be decided. */
export function CasePage({ found }: { found: Record<string, string> }) {
  const { t, date } = useWords();
  const one = useAsk<Case>('/v1/guard/case', { case: found.id }, { everyS: 15 });
  const [deciding, setDeciding] = useState<Decision>();
  const [reason, setReason] = useState('');
  const decide = async () => {
    await tell('/v1/guard/decide', { case: found.id, decision: deciding, reason: reason.trim() || null });
    setDeciding(undefined);
    setReason('');
    one.again();
  };
  return (
    <Page title={t('cases.case')} side={<a href="#/cases">{t('nav.cases')}</a>}>
      <Asked of={one}>
        {(data) => {
          const live = data.state === 'open' || data.state === 'frozen';
          const may: Decision[] = !live ? [] : data.kind === 'hold' ? ['release', 'return', ...(data.state === 'open' ? ['freeze_payee' as const] : [])] : ['close', ...(data.state === 'open' ? ['freeze_payee' as const] : [])];
          return (
            <div className="op-two">
              <div className="op-stack">
                <Card className="op-case" title={t(`case_kinds.${data.kind}`)} side={<StateTag state={data.state} words={t(`states.${data.state}`)} />}>
                  <BigMoney minor={data.amount_minor} asset={data.asset} />
                  {data.kind === 'ring' ? <Ring names={data.members.map(nameOf)} label={t('cases.ring', { names: data.members.map(nameOf).join(' → ') })} /> : (
                    <div className="op-flow"><div><small>{t('cases.payer')}</small><Who party={data.payer} /></div><Icon name="chevron" /><div><small>{t('cases.payee')}</small><Who party={data.payee} /></div></div>
                  )}
                  {data.reasons.map((each) => <article key={each.name} className="op-reason"><h3>{reasonTitle(t, each.name)}</h3><p>{reasonText(t, each)}</p></article>)}
                  {data.text ? <blockquote><small>{t('cases.reported_by', { name: nameOf(data.opened_by) })}</small>{data.text}</blockquote> : null}
                </Card>
                {data.appeals.map((each) => <Card key={each.at} title={t('cases.appeal_of', { name: nameOf(each.party) })} side={<small>{date(each.at)}</small>}><p>{each.text ?? t('cases.unreadable')}</p></Card>)}
              </div>
              <div className="op-stack">
                <Card title={t('cases.facts')}>
                  <Facts items={[[t('cases.opened'), date(data.opened)], [t('cases.until'), data.until ? date(data.until) : '—'], ...(data.payment ? [[t('cases.payment'), <code key="p">{data.payment}</code>] as const] : []), ...(data.decision ? [[t('cases.decision'), t(`decisions.${data.decision}.name`)] as const, [t('cases.decided_by'), <Who key="w" party={data.decided_by} />] as const, [t('cases.decided'), data.decided ? date(data.decided) : '—'] as const] : [])]} />
                  {data.reason ? <blockquote>{data.reason}</blockquote> : null}
                </Card>
                {may.length ? (
                  <Card title={t('cases.decide')}>
                    <div className="op-decisions">
                      {may.map((each) => <button key={each} type="button" className="op-decision" data-kind={each} onClick={() => setDeciding(each)}><strong>{t(`decisions.${each}.name`)}</strong><small>{t(`decisions.${each}.text`)}</small></button>)}
                    </div>
                  </Card>
                ) : null}
              </div>
            </div>
          );
        }}
      </Asked>
      <Modal open={deciding !== undefined} title={deciding ? t(`decisions.${deciding}.name`) : ''} onCancel={() => setDeciding(undefined)} footer={[<Button key="c" onClick={() => setDeciding(undefined)}>{t('common.cancel')}</Button>, <Act key="d" type="primary" danger={deciding === 'return' || deciding === 'freeze_payee'} act={decide} done={t('cases.done')}>{deciding ? t(`decisions.${deciding}.name`) : ''}</Act>]}>
        <p>{deciding ? t(`decisions.${deciding}.text`) : ''}</p>
        <label className="op-label">{t('cases.reason')}<Input.TextArea rows={3} maxLength={1000} value={reason} onChange={(event) => setReason(event.target.value)} /></label>
        <p className="quiet">{t('cases.reason_hint')}</p>
      </Modal>
    </Page>
  );
}
