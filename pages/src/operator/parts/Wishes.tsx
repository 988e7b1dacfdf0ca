import { LANGUAGES, type Language, setLanguage, useWords } from '../../shared/i18n';
import { type Look, setLook, useLook } from '../../shared/theme';

export function Languages() {
  const { t, language } = useWords();
  return (
    <select className="op-select" aria-label={t('common.language')} value={language} onChange={(event) => void setLanguage(event.target.value as Language)}>
      {Object.entries(LANGUAGES).map(([code, name]) => <option key={code} value={code}>{name}</option>)}
    </select>
  );
}

export function Looks() {
  const { t } = useWords();
  const look = useLook();
  return (
    <select className="op-select" aria-label={t('look.title')} value={look} onChange={(event) => setLook(event.target.value as Look)}>
      {(['system', 'light', 'dark'] as const).map((one) => <option key={one} value={one}>{t(`look.${one}`)}</option>)}
    </select>
  );
}
