import Alert from 'antd/es/alert';
import Button, { type ButtonProps } from 'antd/es/button';
import Skeleton from 'antd/es/skeleton';
import { type ReactNode, useEffect, useState } from 'react';
import type { Problem } from '../../shared/api';
import type { Party } from '../../shared/answers';
import { problemText, useWords } from '../../shared/i18n';
import { moneyParts } from '../../shared/money';
import { say, sayProblem } from '../../shared/say';

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

const TONES: Record<string, string> = { open: 'warn', frozen: 'bad', released: 'good', waiting: 'warn', approved: 'good', rejected: 'bad', disputed: 'warn' };

export function StateTag({ state, words }: { state: string; words: string }) {
  return <span className="op-tag" data-tone={TONES[state]}>{words}</span>;
}

export function Facts({ items }: { items: readonly (readonly [string, ReactNode])[] }) {
  return <dl className="op-facts">{items.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

export function Tiles({ items }: { items: readonly (readonly [string, ReactNode, string?])[] }) {
  return <ul className="op-tiles">{items.map(([name, value, tone]) => <li key={name} data-tone={tone}><span>{name}</span><strong>{value}</strong></li>)}</ul>;
}
