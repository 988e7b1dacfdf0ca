import { useWords } from '../../shared/i18n';
import { Icon } from '../../shared/icons';
import { Amount, Field, Stepper } from '../ui';
import { PARTS_MAX, type Part, WEIGHT_MAX, divide } from './terms';

/** The parts that a price is paid in, by shares: whatever is chosen, they add up. */
export function Parts({ parts, onChange, minor, asset, text, least = 0 }: { parts: readonly Part[]; onChange: (parts: Part[]) => void; minor: number | null; asset: string; text: string; least?: 0 | 1 }) {
  const { t } = useWords();
  const shares = divide(minor ?? 0, parts.map((part) => part.weight));
  const change = (index: number, more: Partial<Part>) => onChange(parts.map((part, at) => (at === index ? { ...part, ...more } : part)));
  const add = () => onChange([...parts, ...Array.from({ length: parts.length === 0 ? 2 : 1 }, () => ({ label: '', weight: 1 }))]);
  const remove = (index: number) => {
    const rest = parts.filter((_, at) => at !== index);
    onChange(rest.length < 2 && least === 0 ? [] : rest);
  };
  return (
    <fieldset className="parts">
      <legend>{t('parts.title')}</legend>
      <p className="hint">{text}</p>
      {parts.map((part, index) => (
        <div key={index} className="part card">
          <Field label={t('parts.one', { number: index + 1 })} placeholder={t('parts.placeholder')} value={part.label} onChange={(label) => change(index, { label })} maxLength={80} autoComplete="off" />
          <div className="part-foot">
            <Stepper label={t('parts.weight', { number: index + 1 })} min={1} max={WEIGHT_MAX} value={part.weight} onChange={(weight) => change(index, { weight })} />
            <span className="part-share">{minor ? <Amount minor={shares[index] ?? 0} asset={asset} /> : t('parts.share', { count: part.weight })}</span>
            {parts.length > least ? <button type="button" className="round-button" aria-label={t('parts.remove', { number: index + 1 })} onClick={() => remove(index)}><Icon name="trash" size={19} /></button> : null}
          </div>
        </div>
      ))}
      {parts.length < PARTS_MAX ? <button type="button" className="link" onClick={add}>{t(parts.length === 0 ? 'parts.split' : 'parts.add')}</button> : null}
    </fieldset>
  );
}
