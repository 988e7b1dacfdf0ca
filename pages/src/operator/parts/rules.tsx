import { useWords } from '../../shared/i18n';
import { secondsText } from '../seconds';
import { type Change, type Draft, isKind } from '../rules';

/** A rule's currency and whom it is about: "to people, EUR". */
export function useRuleWords() {
  const { t, language, money, number } = useWords();
  const sum = (one: Draft) => money(one.minor, one.asset ?? 'EUR', { bare: one.asset === null });
  const whom = (one: Draft) => `${t(`sources.${one.source}`)} · ${one.asset ?? t('rules.every_currency')}`;
  const says = (one: Draft): string => {
    if (!isKind(one.kind)) return one.kind;
    const window = secondsText(one.window_s, language);
    if (one.kind === 'velocity') {
      const parts = [one.count ? t('rules.count', { count: one.count, shown: number(one.count) }) : '', one.minor ? sum(one) : ''].filter(Boolean);
      return t('rule_says.velocity', { what: parts.length > 1 ? t('rules.or', { a: parts[0], b: parts[1] }) : parts[0], window });
    }
    return t(`rule_says.${one.kind}`, { money: sum(one), window, percent: number(one.percent), count: one.count, shown: number(one.count) });
  };
  return { whom, says };
}

/** What differs between two versions, each rule in plain words, before and after. */
export function RuleChanges({ changes }: { changes: readonly Change[] }) {
  const { t } = useWords();
  const { whom, says } = useRuleWords();
  return (
    <ul className="op-changes" aria-label={t('rules.changes')}>
      {changes.map(({ key, before, after }) => {
        const one = (after ?? before) as Draft;
        const how = before && after ? 'changed' : after ? 'added' : 'removed';
        return (
          <li key={key} data-how={how}>
            <span><strong>{t(`reasons.${one.kind}.title`)}</strong> <small>{whom(one)}</small></span>
            <b>{t(`rules.${how}`)}</b>
            {before ? <del>{says(before)}</del> : null}
            {after ? <ins>{says(after)}</ins> : null}
          </li>
        );
      })}
    </ul>
  );
}
