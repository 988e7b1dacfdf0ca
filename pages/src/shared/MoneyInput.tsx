import { useEffect, useId, useRef, useState } from 'react';
import { useWords } from './i18n';
import { decimalOf, exponentOf, parseMoney, separatorsOf } from './money';

interface Given {
  label: string;
  asset: string;
  /** Minor units; null when empty or not an amount. */
  value: number | null;
  onChange: (minor: number | null) => void;
  /** Currencies to choose from; one or none shows the code only. */
  assets?: readonly string[];
  onAsset?: (asset: string) => void;
  /** Said below the field when it isn't right. */
  problem?: string;
  hint?: string;
  autoFocus?: boolean;
  id?: string;
}

/** An amount of money as a person types it, in the language's own form; gives minor units. */
export function MoneyInput({ label, asset, value, onChange, assets, onAsset, problem, hint, autoFocus, id }: Given) {
  const { t, language } = useWords();
  const made = useId();
  const name = id ?? made;
  const written = (minor: number | null) => (minor === null ? '' : decimalOf(minor, asset).replace('.', separatorsOf(language).decimal));
  const [text, setText] = useState(() => written(value));
  const told = useRef(value);
  useEffect(() => {
    if (value !== told.current) {
      told.current = value;
      setText(written(value));
    }
  });
  const tell = (typed: string, of = asset) => {
    setText(typed);
    const minor = typed.trim() === '' ? null : parseMoney(typed, of, language);
    told.current = minor;
    onChange(minor);
  };
  const unread = text.trim() !== '' && parseMoney(text, asset, language) === null;
  const wrong = problem ?? (unread ? t('money.not_an_amount', { count: exponentOf(asset) }) : undefined);
  return (
    <div className="money-field" data-bad={wrong !== undefined}>
      <label htmlFor={name}>{label}</label>
      <div className="money-input">
        <input
          id={name}
          inputMode={exponentOf(asset) === 0 ? 'numeric' : 'decimal'}
          autoComplete="off"
          enterKeyHint="done"
          maxLength={24}
          placeholder={written(0)}
          value={text}
          autoFocus={autoFocus}
          aria-invalid={wrong !== undefined}
          aria-describedby={`${name}-more`}
          onChange={(event) => tell(event.target.value)}
        />
        {assets && assets.length > 1 && onAsset ? (
          <select aria-label={t('money.currency')} value={asset} onChange={(event) => { onAsset(event.target.value); tell(text, event.target.value); }}>
            {assets.map((one) => <option key={one}>{one}</option>)}
          </select>
        ) : (
          <span className="asset">{asset}</span>
        )}
      </div>
      <small id={`${name}-more`} className={wrong ? 'wrong' : 'hint'} aria-live="polite">{wrong ?? hint ?? ''}</small>
    </div>
  );
}
