import Button from 'antd/es/button';
import Input from 'antd/es/input';
import InputNumber from 'antd/es/input-number';
import Modal from 'antd/es/modal';
import Segmented from 'antd/es/segmented';
import Select from 'antd/es/select';
import { useId, useState } from 'react';
import { assetOf } from '../../explorer/proof/assets';
import { tell } from '../../shared/api';
import { useWords } from '../../shared/i18n';
import { MoneyInput } from '../../shared/MoneyInput';
import { COMMON_ASSETS } from '../../shared/money';
import { useAsk } from '../../shared/useAsk';
import type { Rule, RuleProposal } from '../answers';
import { type Change, type Draft, FIELDS, KINDS, type Kind, SOURCES, UNITS, boundsOf, changesOf, draftOf, fresh, keyOf, readRules, toSend, unitOf, wrongField, wrongRules } from '../rules';
import { RuleChanges, useRuleWords } from '../parts/rules';
import { Act, Asked, Card, Page, StateTag } from '../parts/ui';

interface Version { version: number; set: string; items: Rule[] }

/** The guard's rules: public, with a version. A change is put together here, shown beside what is, and proposed. */
export function GuardRules() {
  const { t } = useWords();
  const rules = useAsk<Version>('/v1/guard/rules');
  const waiting = useAsk<{ items: RuleProposal[] }>('/v1/guard/rule_proposals', { state: 'waiting' }, { everyS: 30 });
  return (
    <Page title={t('nav.rules')} text={t('rules.text')} side={waiting.data?.items.length ? <a href="#/proposals">{t('rules.waiting', { count: waiting.data.items.length })}</a> : null}>
      <Asked of={rules}>{(data) => <Editor key={data.version} of={data} again={() => { rules.again(); waiting.again(); }} />}</Asked>
    </Page>
  );
}

function Editor({ of, again }: { of: Version; again: () => void }) {
  const { t, date } = useWords();
  const current = of.items.map(draftOf);
  const [draft, setDraft] = useState<Draft[]>(current);
  const [tab, setTab] = useState<'form' | 'expert'>('form');
  const [edited, setEdited] = useState<{ was?: Draft; now: Draft }>();
  const changes = changesOf(current, draft);
  const put = ({ was, now }: { was?: Draft; now: Draft }) => {
    setDraft((all) => (was ? all.map((one) => (keyOf(one) === keyOf(was) ? now : one)) : [...all, now]));
    setEdited(undefined);
  };
  return (
    <>
      <Segmented className="op-tabs" aria-label={t('rules.how')} value={tab} onChange={setTab} options={[{ value: 'form', label: t('rules.form') }, { value: 'expert', label: t('rules.expert') }]} />
      {tab === 'expert' ? <Expert draft={draft} put={setDraft} /> : KINDS.map((kind) => <OfKind key={kind} kind={kind} draft={draft} changes={changes} edit={setEdited} remove={(key) => setDraft((all) => all.filter((one) => keyOf(one) !== key))} />)}
      <Review of={of} draft={draft} changes={changes} undo={() => setDraft(current)} done={() => { setDraft(current); again(); }} />
      <p className="quiet">{t('rules.version', { number: of.version })}{of.version ? ` · ${date(of.set)}` : ''}</p>
      {edited ? <RuleForm key={edited.was ? keyOf(edited.was) : 'new'} edited={edited} draft={draft} put={put} close={() => setEdited(undefined)} /> : null}
    </>
  );
}

function OfKind({ kind, draft, changes, edit, remove }: { kind: Kind; draft: readonly Draft[]; changes: readonly Change[]; edit: (what: { was?: Draft; now: Draft }) => void; remove: (key: string) => void }) {
  const { t } = useWords();
  const { whom, says } = useRuleWords();
  const [all, setAll] = useState(false);
  const changed = new Set(changes.map((one) => one.key));
  const mine = draft.filter((one) => one.kind === kind);
  const shown = all ? mine : mine.filter((one) => one.asset === null || changed.has(keyOf(one)));
  const window_s = kind === 'velocity' ? mine[0]?.window_s : undefined;
  return (
    <Card title={t(`reasons.${kind}.title`)} side={<Button size="small" aria-label={`${t('rules.add')}: ${t(`reasons.${kind}.title`)}`} onClick={() => edit({ now: fresh(kind, window_s) })}>{t('rules.add')}</Button>}>
      <p className="quiet">{t(`rule_kinds.${kind}`)}</p>
      {mine.length ? (
        <ul className="op-lines">
          {shown.map((one) => {
            const name = `${t(`reasons.${kind}.title`)}, ${whom(one)}`;
            return (
              <li key={keyOf(one)}>
                <span className="op-why"><strong>{whom(one)}</strong><small>{says(one)}</small></span>
                {changed.has(keyOf(one)) ? <StateTag state="waiting" words={t('rules.changed')} /> : null}
                <span className="op-acts"><Button size="small" aria-label={`${t('rules.edit')}: ${name}`} onClick={() => edit({ was: one, now: one })}>{t('rules.edit')}</Button><Button size="small" danger aria-label={`${t('rules.remove')}: ${name}`} onClick={() => remove(keyOf(one))}>{t('rules.remove')}</Button></span>
              </li>
            );
          })}
        </ul>
      ) : <p>{t('rules.off')}</p>}
      {mine.length > shown.length || all ? <Button size="small" aria-expanded={all} onClick={() => setAll(!all)}>{all ? t('rules.fewer') : t('rules.currencies', { count: mine.length - shown.length })}</Button> : null}
    </Card>
  );
}

function RuleForm({ edited, draft, put, close }: { edited: { was?: Draft; now: Draft }; draft: readonly Draft[]; put: (what: { was?: Draft; now: Draft }) => void; close: () => void }) {
  const { t, number } = useWords();
  const { says } = useRuleWords();
  const [rule, setRule] = useState(edited.now);
  const kind = rule.kind as Kind;
  const set = (change: Partial<Draft>) => setRule((now) => ({ ...now, ...change }));
  const taken = draft.some((one) => keyOf(one) === keyOf(rule) && (!edited.was || keyOf(edited.was) !== keyOf(one)));
  const wrong = wrongField(rule);
  return (
    <Modal open title={t(`reasons.${kind}.title`)} onCancel={close} footer={<><Button onClick={close}>{t('common.cancel')}</Button><Button type="primary" disabled={taken || wrong !== undefined} onClick={() => put({ was: edited.was, now: rule })}>{t('rules.take')}</Button></>}>
      <div className="op-stack">
        <p className="quiet">{t(`rule_kinds.${kind}`)}</p>
        <label className="op-label">{t('rules.source')}<select className="op-select" value={rule.source} onChange={(event) => set({ source: event.target.value })}>{SOURCES.map((one) => <option key={one} value={one}>{t(`sources.${one}`)}</option>)}</select></label>
        <label className="op-label">{t('money.currency')}<Select showSearch aria-label={t('money.currency')} value={rule.asset ?? ''} onChange={(asset) => set({ asset: asset || null })} options={[{ value: '', label: t('rules.every_currency') }, ...[...new Set([...COMMON_ASSETS, ...draft.flatMap((one) => one.asset ?? [])])].sort().map((one) => ({ value: one, label: one }))]} /></label>
        {FIELDS[kind].map((field) => {
          const [least, greatest] = boundsOf(kind, field);
          if (field === 'minor') return <MoneyInput key={`minor${rule.asset}`} label={t(`rule_fields.${kind}.minor`)} asset={rule.asset ?? 'EUR'} value={rule.minor} onChange={(minor) => set({ minor: minor ?? NaN })} hint={[rule.asset ? '' : t('rules.as_euros'), least ? '' : t('rules.zero_off')].filter(Boolean).join(' ')} />;
          if (field === 'window_s') return <Window key="window" label={t(`rule_fields.${kind}.window_s`)} value={rule.window_s} onChange={(window_s) => set({ window_s })} hint={kind === 'velocity' ? t('rules.one_window') : undefined} />;
          return <label key={field} className="op-label">{t(`rule_fields.${kind}.${field}`)}<InputNumber className="op-wide" min={least} max={greatest} precision={0} value={Number.isNaN(rule[field]) ? null : rule[field]} onChange={(value) => set({ [field]: value ?? NaN })} suffix={field === 'percent' ? '%' : undefined} /><small className="quiet">{t('rules.between', { least: number(least), greatest: number(greatest) })}{kind === 'velocity' ? ` ${t('rules.zero_off')}` : ''}</small></label>;
        })}
        <p className="op-says" aria-live="polite">{taken ? t('codes.rule_twice') : wrong ? t('codes.rule_incomplete') : says(rule)}</p>
      </div>
    </Modal>
  );
}

function Window({ label, value, onChange, hint }: { label: string; value: number; onChange: (seconds: number) => void; hint?: string }) {
  const { t } = useWords();
  const id = useId();
  const [unit, setUnit] = useState(() => unitOf(value));
  const units = unit === 1 ? [['seconds', 1] as const, ...UNITS] : UNITS;
  const many = Number.isNaN(value) ? null : value / unit;
  return (
    <div className="op-label">
      <label htmlFor={id}>{label}</label>
      <span className="op-window">
        <InputNumber id={id} className="op-wide" min={1} max={Math.floor((366 * 86_400) / unit)} precision={0} value={many} onChange={(typed) => onChange(typed === null ? NaN : typed * unit)} />
        <select className="op-select" aria-label={t('rules.unit')} value={unit} onChange={(event) => { const next = Number(event.target.value); setUnit(next); onChange(Math.max(1, Math.round(many ?? 1)) * next); }}>{units.map(([name, size]) => <option key={name} value={size}>{t(`units.${name}`)}</option>)}</select>
      </span>
      {hint ? <small className="quiet">{hint}</small> : null}
    </div>
  );
}

function Expert({ draft, put }: { draft: readonly Draft[]; put: (rules: Draft[]) => void }) {
  const { t } = useWords();
  const [text, setText] = useState(() => JSON.stringify(toSend(draft), null, 2));
  const [wrong, setWrong] = useState('');
  const write = (typed: string) => {
    setText(typed);
    try {
      put(readRules(typed, (number) => assetOf(number).code));
      setWrong('');
    } catch (error) {
      setWrong(t('rules.unreadable', { why: error instanceof Error ? error.message : '' }));
    }
  };
  return (
    <Card title={t('rules.expert')}>
      <div className="op-stack">
        <p className="quiet">{t('rules.expert_text')}</p>
        <Input.TextArea className="op-code" aria-label={t('rules.expert')} autoSize={{ minRows: 8, maxRows: 24 }} spellCheck={false} value={text} onChange={(event) => write(event.target.value)} />
        {wrong ? <p className="op-wrong" role="alert">{wrong}</p> : null}
      </div>
    </Card>
  );
}

function Review({ of, draft, changes, undo, done }: { of: Version; draft: readonly Draft[]; changes: readonly Change[]; undo: () => void; done: () => void }) {
  const { t } = useWords();
  const wrong = wrongRules(draft);
  const propose = async () => {
    await tell('/v1/guard/propose_rules', { based_on: of.version, rules: toSend(draft) });
    done();
  };
  return (
    <Card title={t('rules.change')} className={changes.length ? 'op-review' : ''}>
      {changes.length ? (
        <div className="op-stack">
          <RuleChanges changes={changes} />
          {wrong ? <p className="op-wrong" role="alert">{t(`codes.${wrong}`)}</p> : null}
          <p className="quiet">{t('proposals.two')}</p>
          <span className="op-acts"><Act type="primary" disabled={wrong !== undefined} act={propose} done={t('proposals.made')}>{t('proposals.propose')}</Act><Button onClick={undo}>{t('rules.undo')}</Button></span>
        </div>
      ) : <p className="quiet">{t('rules.change_text')}</p>}
    </Card>
  );
}

/** Versions that one proposed and another decides, each beside what speaks while it waits. */
export function RuleProposals({ state }: { state: 'waiting' | 'approved' | 'rejected' }) {
  const { t } = useWords();
  const list = useAsk<{ items: RuleProposal[] }>('/v1/guard/rule_proposals', { state }, { everyS: 15 });
  if (!list.data?.items.length) return null;
  return <Card title={t('nav.rules')}>{list.data.items.map((one) => <OneProposal key={one.proposal} of={one} again={list.again} />)}</Card>;
}

function OneProposal({ of, again }: { of: RuleProposal; again: () => void }) {
  const { t, date } = useWords();
  const base = useAsk<Version>('/v1/guard/rules', { version: of.based_on });
  const decide = (how: 'approve' | 'reject') => async () => {
    await tell(`/v1/guard/${how}_rules`, { proposal: of.proposal });
    again();
  };
  return (
    <section className="op-proposal" aria-label={t('rules.proposal_by', { name: of.maker.name, date: date(of.made) })}>
      <p><strong>{t('rules.proposal_by', { name: of.maker.name, date: date(of.made) })}</strong>{of.version ? ` · ${t('rules.version', { number: of.version })}` : ''}</p>
      <Asked of={base}>{(data) => <RuleChanges changes={changesOf(data.items.map(draftOf), of.items.map(draftOf))} />}</Asked>
      {of.state !== 'waiting' ? null : of.mine ? <p className="quiet">{t('proposals.mine')}</p> : <span className="op-acts"><Act type="primary" act={decide('approve')} done={t('proposals.approved')}>{t('proposals.approve')}</Act><Act danger act={decide('reject')} done={t('proposals.rejected')}>{t('proposals.reject')}</Act></span>}
    </section>
  );
}
