import { LANGUAGES, type Language, setLanguage, useWords } from '../../shared/i18n';
import { type Look, setLook, useLook } from '../../shared/theme';

const NEXT: Record<Look, Look> = { system: 'light', light: 'dark', dark: 'system' };

export function Languages() {
  const { t, language } = useWords();
  return (
    <select className="op-select" aria-label={t('common.language')} value={language} onChange={(event) => void setLanguage(event.target.value as Language)}>
      {Object.entries(LANGUAGES).map(([code, name]) => <option key={code} value={code}>{name}</option>)}
    </select>
  );
}

/** As the device, light, dark: one press each. */
export function Looks() {
  const { t } = useWords();
  const look = useLook();
  const words = `${t('look.title')}: ${t(`look.${look}`)}`;
  return (
    <button type="button" className="op-look" aria-label={words} title={words} onClick={() => setLook(NEXT[look])}>
      <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.8">
        <circle cx="10" cy="10" r="7.200" fill={look === 'dark' ? 'currentColor' : 'none'} />
        {look === 'system' ? <path d="M10 2.800a7.200 7.200 0 0 1 0 14.400z" fill="currentColor" stroke="none" /> : null}
      </svg>
    </button>
  );
}
