import i18next, { type i18n } from 'i18next';
import { useMemo, useSyncExternalStore } from 'react';
import { assetName, formatMoney } from './money';

export const LANGUAGES = { en: 'English', fr: 'Français', zh: '中文' } as const;
export type Language = keyof typeof LANGUAGES;
export interface Words {
  [key: string]: string | Words;
}
/** Loads the words of one application in one language; split from the first load. */
export type Loader = Record<Language, () => Promise<{ default: Words }>>;

const KEPT = 'formicary.language';
const shared: Loader = {
  en: () => import('./locales/en'),
  fr: () => import('./locales/fr'),
  zh: () => import('./locales/zh'),
};
const machine: i18n = i18next.createInstance();
let own: Loader | undefined;
const listeners = new Set<() => void>();
let round = 0;

const isLanguage = (text: string): text is Language => text in LANGUAGES;

function wanted(): Language {
  const kept = (() => { try { return localStorage.getItem(KEPT); } catch { return null; } })();
  for (const text of [kept, ...navigator.languages]) {
    const short = (text ?? '').slice(0, 2).toLowerCase();
    if (isLanguage(short)) return short;
  }
  return 'en';
}

async function load(language: Language): Promise<void> {
  const [common, app] = await Promise.all([shared[language](), own?.[language]()]);
  machine.addResourceBundle(language, 'words', common.default, true, true);
  if (app) machine.addResourceBundle(language, 'words', app.default, true, true);
}

/** Starts the words of an application (its own over the shared ones), in the person's language. */
export async function startWords(loader: Loader, language: Language = wanted()): Promise<void> {
  own = loader;
  await machine.init({
    lng: language,
    fallbackLng: false,
    ns: ['words'],
    defaultNS: 'words',
    interpolation: { escapeValue: false },
    resources: {},
    showSupportNotice: false,
  } as Parameters<i18n['init']>[0]);
  await setLanguage(language, false);
}

export async function setLanguage(language: Language, keep = true): Promise<void> {
  await load(language);
  await machine.changeLanguage(language);
  document.documentElement.lang = language === 'zh' ? 'zh-Hans' : language;
  if (keep) try { localStorage.setItem(KEPT, language); } catch { /* private mode */ }
  round += 1;
  for (const listener of listeners) listener();
}

/** Words outside components. Prefer `useWords` inside. */
export const t = (key: string, values?: Record<string, unknown>): string => machine.t(key, values as never) as unknown as string;
export const hasWords = (key: string): boolean => machine.exists(key);
export const language = (): Language => (machine.language as Language | undefined) ?? 'en';

const watch = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

type When = string | number | Date;

export interface Spoken {
  t: typeof t;
  language: Language;
  /** Minor units as money: 12,34 €. */
  money: (minor: number, asset: string, form?: { bare?: boolean; sign?: boolean }) => string;
  number: (value: number, options?: Intl.NumberFormatOptions) => string;
  date: (at: When, options?: Intl.DateTimeFormatOptions) => string;
  /** "14:05" today, "12 Nov" before. */
  moment: (at: When) => string;
  asset: (code: string) => string;
  list: (items: string[]) => string;
}

function speak(tongue: Language): Spoken {
  const locale = tongue === 'en' ? 'en-GB' : tongue === 'zh' ? 'zh-CN' : tongue;
  const date = (at: When, options: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'short' }) =>
    new Intl.DateTimeFormat(locale, options).format(new Date(at));
  return {
    t,
    language: tongue,
    money: (minor, asset, form) => formatMoney(minor, asset, locale, form),
    number: (value, options) => new Intl.NumberFormat(locale, options).format(value),
    date,
    moment: (at) => {
      const then = new Date(at);
      const today = new Date();
      if (then.toDateString() === today.toDateString()) return date(then, { timeStyle: 'short' });
      return date(then, then.getFullYear() === today.getFullYear() ? { day: 'numeric', month: 'short' } : { day: 'numeric', month: 'short', year: 'numeric' });
    },
    asset: (code) => assetName(code, locale),
    list: (items) => new Intl.ListFormat(locale, { type: 'conjunction' }).format(items),
  };
}

/** Words, numbers, dates and money in the person's language; renders again when it changes. */
export function useWords(): Spoken {
  const now = useSyncExternalStore(watch, () => round);
  return useMemo(() => speak(language()), [now]); // eslint-disable-line react-hooks/exhaustive-deps
}

/** What went wrong, in the person's words: by our code, else what the server said. */
export function problemText(problem: { code: string; detail?: string }): string {
  const key = `codes.${problem.code}`;
  if (hasWords(key)) return t(key);
  return problem.detail || t('codes.other', { code: problem.code });
}
