import Button, { type ButtonProps } from 'antd-mobile/es/components/button';
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import type { Problem } from '../shared/api';
import { problemText, useWords } from '../shared/i18n';
import { Icon, type IconName, Mark } from '../shared/icons';
import { moneyParts } from '../shared/money';
import { back, href } from '../shared/router';
import { sayProblem } from '../shared/say';
import type { Party } from '../shared/answers';

/** A page with its title and a way back. */
export function Page({ title, children, up = '/', side, top = false }: { title: string; children: ReactNode; up?: string; side?: ReactNode; top?: boolean }) {
  const { t } = useWords();
  useEffect(() => { document.title = `${title} · Formicary`; }, [title]);
  return (
    <div className="page">
      <header className="page-head">
        {top ? null : <button type="button" className="round-button" aria-label={t('common.back')} onClick={() => back(up)}><Icon name="back" /></button>}
        <h1>{title}</h1>
        {side}
      </header>
      {children}
    </div>
  );
}

export function Loading({ whole = false }: { whole?: boolean }) {
  const { t } = useWords();
  return (
    <div className={whole ? 'loading loading-whole' : 'loading'} role="status">
      <span className="walking" aria-hidden="true"><Mark size={whole ? 44 : 28} /></span>
      <span className="visually-hidden">{t('common.loading')}</span>
    </div>
  );
}

/** Whatever is not there yet: reading, gone wrong, or empty. */
export function Waiting({ loading, problem, again }: { loading: boolean; problem?: Problem; again: () => void }) {
  const { t } = useWords();
  if (problem) {
    return (
      <div className="notice notice-bad" role="alert">
        <p>{problemText(problem)}</p>
        <button type="button" className="link" onClick={again}>{t('common.again')}</button>
      </div>
    );
  }
  return loading ? <Loading /> : null;
}

export function Empty({ icon, title, text, children }: { icon: IconName; title: string; text?: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <span className="empty-icon"><Icon name={icon} size={30} /></span>
      <h2>{title}</h2>
      {text && <p>{text}</p>}
      {children}
    </div>
  );
}

/** Money set well: the sign and the fraction smaller. */
export function Amount({ minor, asset, sign, className }: { minor: number; asset: string; sign?: boolean; className?: string }) {
  const { language, money } = useWords();
  const locale = language === 'en' ? 'en-GB' : language;
  const parts = moneyParts(minor, asset, locale, { sign });
  return (
    <span className={`amount ${className ?? ''}`} aria-label={money(minor, asset, { sign })} role="text">
      <span aria-hidden="true">
        {parts.map((part, index) => (
          <span key={index} className={part.type === 'fraction' || part.type === 'decimal' ? 'amount-small' : part.type === 'currency' ? 'amount-sign' : undefined}>{part.value}</span>
        ))}
      </span>
    </span>
  );
}

const HUES = ['clay', 'straw', 'moss', 'berry'] as const;

export function Avatar({ party, icon, size = 44 }: { party?: Party | null; icon?: IconName; size?: number }) {
  const id = party?.id ?? '';
  const hue = HUES[(Number.parseInt(id.slice(-2) || '0', 16) || 0) % HUES.length];
  const name = party?.name ?? '';
  const letters = [...name.trim()].length === 0 ? '' : /[\u4e00-\u9fff]/.test(name) ? [...name].slice(-2).join('') : name.split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? '').join('').toUpperCase();
  return (
    <span className="avatar" data-hue={hue} data-kind={party?.kind} style={{ width: size, height: size }} aria-hidden="true">
      {icon || party?.kind === 'institution' ? <Icon name={icon ?? 'bank'} size={size / 2} /> : letters || <Icon name={party?.kind === 'shop' ? 'store' : 'person'} size={size / 2} />}
    </span>
  );
}

interface RowGiven {
  to?: string;
  onClick?: () => void;
  lead?: ReactNode;
  icon?: IconName;
  title: ReactNode;
  text?: ReactNode;
  end?: ReactNode;
}

/** A line of a list; a link, a button, or plain. */
export function Row({ to, onClick, lead, icon, title, text, end }: RowGiven) {
  const inner = (
    <>
      {lead ?? (icon ? <span className="row-icon"><Icon name={icon} size={22} /></span> : null)}
      <span className="row-words"><span className="row-title">{title}</span>{text ? <span className="row-text">{text}</span> : null}</span>
      {end !== undefined ? <span className="row-end">{end}</span> : to || onClick ? <Icon name="chevron" size={18} className="row-chevron" /> : null}
    </>
  );
  if (to) return <li><a className="row" href={href(to)}>{inner}</a></li>;
  if (onClick) return <li><button type="button" className="row" onClick={onClick}>{inner}</button></li>;
  return <li className="row">{inner}</li>;
}

export function Rows({ title, children, side }: { title?: string; children: ReactNode; side?: ReactNode }) {
  return (
    <section className="rows-part">
      {title ? <div className="rows-head"><h2>{title}</h2>{side}</div> : null}
      <ul className="rows">{children}</ul>
    </section>
  );
}

export const nameOf = (party: Party | null | undefined, or: string): string => party?.name || (party?.id ? `…${party.id.slice(-6)}` : or);

interface FieldGiven {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: string;
  problem?: string;
  type?: string;
  placeholder?: string;
  autoComplete?: string;
  inputMode?: 'text' | 'numeric' | 'tel' | 'email';
  maxLength?: number;
  required?: boolean;
  autoFocus?: boolean;
  rows?: number;
  before?: string;
}

export function Field({ label, value, onChange, hint, problem, rows, before, ...rest }: FieldGiven) {
  const id = useId();
  const common = { id, value, 'aria-invalid': problem !== undefined, 'aria-describedby': hint || problem ? `${id}-more` : undefined, ...rest };
  return (
    <div className="field" data-bad={problem !== undefined}>
      <label htmlFor={id}>{label}</label>
      {rows ? (
        <textarea {...common} rows={rows} onChange={(event) => onChange(event.target.value)} />
      ) : (
        <span className="field-box">{before ? <span className="field-before" aria-hidden="true">{before}</span> : null}<input {...common} spellCheck={false} autoCapitalize="off" onChange={(event) => onChange(event.target.value)} /></span>
      )}
      {hint || problem ? <small id={`${id}-more`} className={problem ? 'wrong' : 'hint'}>{problem ?? hint}</small> : null}
    </div>
  );
}

export function Choice<T extends string>({ label, value, options, onChange }: { label: string; value: T | ''; options: readonly (readonly [T, string])[]; onChange: (value: T) => void }) {
  const name = useId();
  return (
    <fieldset className="choice">
      <legend>{label}</legend>
      <div className="choice-all">
        {options.map(([option, words]) => (
          <label key={option} className="chip">
            <input type="radio" name={name} value={option} checked={value === option} onChange={() => onChange(option)} />
            <span>{words}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export function Pick({ label, value, options, onChange }: { label: string; value: string; options: readonly (readonly [string, string])[]; onChange: (value: string) => void }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <span className="field-box"><select id={id} value={value} onChange={(event) => onChange(event.target.value)}>{options.map(([option, words]) => <option key={option} value={option}>{words}</option>)}</select></span>
    </div>
  );
}

/** A button that does something over the network once: it waits, and says what went wrong. */
export function Act({ act, children, ...rest }: { act: () => Promise<unknown>; children: ReactNode } & Omit<ButtonProps, 'onClick' | 'loading'>) {
  const [busy, setBusy] = useState(false);
  const there = useRef(true);
  useEffect(() => {
    there.current = true;
    return () => { there.current = false; };
  }, []);
  const run = async () => {
    if (busy) return;
    setBusy(true);
    try {
      await act();
    } catch (error) {
      sayProblem(error);
    } finally {
      if (there.current) setBusy(false);
    }
  };
  return <Button block color="primary" size="large" {...rest} loading={busy} onClick={() => void run()}>{children}</Button>;
}

/** A sheet from below (in the middle on a wide screen). The browser's own dialog: focus stays inside, Escape closes. */
export function Sheet({ open, title, onClose, children }: { open: boolean; title: string; onClose: () => void; children: ReactNode }) {
  const { t } = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const it = dialog.current;
    if (open && it && !it.open) it.showModal();
    if (!open && it?.open) it.close();
  }, [open]);
  return (
    <dialog ref={dialog} className="sheet" aria-labelledby={id} onClose={onClose} onClick={(event) => { if (event.target === dialog.current) onClose(); }}>
      {open ? (
        <div className="sheet-inner">
          <header><h2 id={id}>{title}</h2><button type="button" className="round-button" aria-label={t('common.close')} onClick={onClose}><Icon name="close" size={20} /></button></header>
          {children}
        </div>
      ) : null}
    </dialog>
  );
}

export function Notice({ tone = 'plain', icon, title, children }: { tone?: 'plain' | 'good' | 'bad' | 'warn'; icon?: IconName; title?: string; children?: ReactNode }) {
  return (
    <section className={`notice notice-${tone}`}>
      {icon ? <Icon name={icon} /> : null}
      <div>{title ? <h2>{title}</h2> : null}{children}</div>
    </section>
  );
}

/** A small whole number, by one up or down. */
export function Stepper({ label, value, min, max, onChange }: { label: string; value: number; min: number; max: number; onChange: (value: number) => void }) {
  const { t, number } = useWords();
  return (
    <span className="stepper" role="group" aria-label={label}>
      <button type="button" aria-label={t('common.minus')} disabled={value <= min} onClick={() => onChange(value - 1)}><Icon name="minus" size={18} /></button>
      <output aria-live="polite">{number(value)}</output>
      <button type="button" aria-label={t('common.plus')} disabled={value >= max} onClick={() => onChange(value + 1)}><Icon name="plus" size={18} /></button>
    </span>
  );
}

export function Tag({ tone = 'plain', children }: { tone?: 'plain' | 'good' | 'bad' | 'warn'; children: ReactNode }) {
  return <span className={`tag tag-${tone}`}>{children}</span>;
}

export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
