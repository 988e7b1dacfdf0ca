import Alert from 'antd/es/alert';
import Button, { type ButtonProps } from 'antd/es/button';
import Skeleton from 'antd/es/skeleton';
import Table, { type TableProps } from 'antd/es/table';
import Tag from 'antd/es/tag';
import { type ReactNode, useEffect, useState } from 'react';
import { type Page as PageOf, type Problem, ask } from '../../shared/api';
import type { Party } from '../../shared/answers';
import { problemText, useWords } from '../../shared/i18n';
import { moneyParts } from '../../shared/money';
import { say, sayProblem } from '../../shared/say';
import { useAsk } from '../../shared/useAsk';

export function Page({ title, text, side, children }: { title: string; text?: string; side?: ReactNode; children: ReactNode }) {
  useEffect(() => { document.title = `${title} · Formicary`; }, [title]);
  return (
    <div className="op-page">
      <header className="op-head"><div><h1>{title}</h1>{text ? <p>{text}</p> : null}</div>{side ? <div className="op-side">{side}</div> : null}</header>
      {children}
    </div>
  );
}

export function Card({ title, side, children, className = '' }: { title?: ReactNode; side?: ReactNode; children: ReactNode; className?: string }) {
  return (
    <section className={`op-card ${className}`}>
      {title || side ? <header><h2>{title}</h2>{side}</header> : null}
      {children}
    </section>
  );
}

export function Wrong({ problem, again }: { problem: Problem; again: () => void }) {
  const { t } = useWords();
  return <Alert type="error" showIcon title={problemText(problem)} action={<Button size="small" onClick={again}>{t('common.again')}</Button>} />;
}

/** Whatever was asked: its page, a grey shape while it comes, or what went wrong. */
export function Asked<T>({ of, children }: { of: { data: T | undefined; problem: Problem | undefined; again: () => void }; children: (data: T) => ReactNode }) {
  if (of.data !== undefined) return <>{of.problem ? <Wrong problem={of.problem} again={of.again} /> : null}{children(of.data)}</>;
  return of.problem ? <Wrong problem={of.problem} again={of.again} /> : <Skeleton active paragraph={{ rows: 5 }} />;
}

/** A list with a cursor, as far as it was read, and a table of it. */
export function useList<T>(path: string | null, params: Record<string, string | number | undefined> = {}, everyS?: number) {
  const first = useAsk<PageOf<T>>(path, { limit: 30, ...params }, { everyS });
  const [more, setMore] = useState<PageOf<T>>();
  useEffect(() => setMore(undefined), [first.data]);
  const next = more ? more.next : first.data?.next;
  const load = async () => {
    try {
      const page = await ask<PageOf<T>>(path ?? '', { limit: 30, ...params, after: next });
      setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next });
    } catch (error) {
      sayProblem(error);
    }
  };
  return { ...first, items: [...(first.data?.items ?? []), ...(more?.items ?? [])], next, load };
}

export function List<T extends object>({ of, columns, rowKey, onRow, label }: { of: ReturnType<typeof useList<T>>; columns: TableProps<T>['columns']; rowKey: (keyof T & string) | ((row: T) => string); onRow?: (row: T) => void; label: string }) {
  const { t } = useWords();
  if (of.problem && !of.data) return <Wrong problem={of.problem} again={of.again} />;
  return (
    <>
      <Table<T>
        aria-label={label}
        className="op-table"
        columns={columns}
        dataSource={of.items}
        rowKey={rowKey}
        loading={of.loading && !of.data}
        pagination={false}
        scroll={{ x: 'max-content' }}
        size="middle"
        onRow={onRow ? (row) => ({ onClick: () => onRow(row), onKeyDown: (event) => { if (event.key === 'Enter') onRow(row); }, tabIndex: 0, className: 'op-clickable' }) : undefined}
      />
      {of.next ? <Button onClick={() => void of.load()}>{t('common.more')}</Button> : null}
    </>
  );
}

/** A button that does something over the network once. */
export function Act({ act, children, done, ...rest }: { act: () => Promise<unknown>; done?: string; children: ReactNode } & Omit<ButtonProps, 'onClick' | 'loading'>) {
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      await act();
      if (done) say(done, 'good');
    } catch (error) {
      sayProblem(error);
    }
    setBusy(false);
  };
  return <Button {...rest} loading={busy} onClick={() => void run()}>{children}</Button>;
}

export const nameOf = (party: Party | null | undefined): string => (party ? party.name || `…${party.id.slice(-6)}` : '—');

export function Who({ party, link = true }: { party: Party | null | undefined; link?: boolean }) {
  if (!party?.id) return <span className="quiet">—</span>;
  const name = <span className="who"><strong>{nameOf(party)}</strong><code>{party.id.slice(0, 4)}…{party.id.slice(-4)}</code></span>;
  return link && party.kind !== 'institution' ? <a href={`#/person/${party.id}`} onClick={(event) => event.stopPropagation()}>{name}</a> : name;
}

export function Money({ minor, asset, strong = false }: { minor: number; asset: string; strong?: boolean }) {
  const { money } = useWords();
  return <span className={strong ? 'op-money op-money-strong' : 'op-money'} data-minus={minor < 0}>{money(minor, asset)}</span>;
}

/** Money set large, its fraction smaller. */
export function BigMoney({ minor, asset }: { minor: number; asset: string }) {
  const { language, money } = useWords();
  return (
    <span className="op-big" role="text" aria-label={money(minor, asset)}>
      <span aria-hidden="true">{moneyParts(minor, asset, language === 'en' ? 'en-GB' : language).map((part, at) => <span key={at} className={part.type === 'fraction' || part.type === 'decimal' ? 'op-small' : undefined}>{part.value}</span>)}</span>
    </span>
  );
}

const TONES: Record<string, string> = { open: 'gold', frozen: 'red', released: 'green', recalled: 'default', returned: 'default', closed: 'default', waiting: 'gold', approved: 'green', rejected: 'red', disputed: 'gold' };

export function StateTag({ state, words }: { state: string; words: string }) {
  return <Tag color={TONES[state] ?? 'default'}>{words}</Tag>;
}

export function Facts({ items }: { items: readonly (readonly [string, ReactNode])[] }) {
  return <dl className="op-facts">{items.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

export function Tiles({ items }: { items: readonly (readonly [string, ReactNode, string?])[] }) {
  return <ul className="op-tiles">{items.map(([name, value, tone]) => <li key={name} data-tone={tone}><span>{name}</span><strong>{value}</strong></li>)}</ul>;
}
