import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Words } from '../src/shared/i18n';

const SRC = join(process.cwd(), 'src'); // vitest runs in pages/
const APPS = ['shared', 'wallet', 'till', 'operator', 'explorer'] as const;
const LANGUAGES = ['en', 'fr', 'zh'] as const;
const PLURAL = /_(zero|one|two|few|many|other)$/;

const load = async (app: string, language: string) => (await import(`../src/${app}/locales/${language}.ts`) as { default: Words }).default;

function flat(words: Words, before = ''): Map<string, string> {
  const all = new Map<string, string>();
  for (const [key, value] of Object.entries(words)) {
    if (typeof value === 'string') all.set(before + key, value);
    else for (const [inner, text] of flat(value, `${before}${key}.`)) all.set(inner, text);
  }
  return all;
}

const bases = (keys: Iterable<string>) => new Set([...keys].map((key) => key.replace(PLURAL, '')));
const holes = (text: string) => [...text.matchAll(/\{\{(\w+)/g)].map((found) => found[1]).sort();

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'locales' ? [] : sources(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

describe.each(APPS)('the words of %s', (app) => {
  it('are the same keys in every language', async () => {
    const en = bases(flat(await load(app, 'en')).keys());
    for (const language of LANGUAGES) expect([...bases(flat(await load(app, language)).keys())].sort(), language).toEqual([...en].sort());
  });
  it('have each plural form that the language has', async () => {
    for (const language of LANGUAGES) {
      const all = flat(await load(app, language));
      const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
      for (const key of [...all.keys()].filter((one) => PLURAL.test(one) && all.has(one.replace(PLURAL, '_other')))) {
        const base = key.replace(PLURAL, '');
        expect(forms.filter((form) => !all.has(`${base}_${form}`)), `${language} ${base}`).toEqual([]);
      }
    }
  });
  it('are not empty and fill the same holes', async () => {
    const en = flat(await load(app, 'en'));
    for (const language of LANGUAGES) {
      for (const [key, text] of flat(await load(app, language))) {
        expect(text.trim(), `${language} ${key}`).not.toBe('');
        const model = en.get(key) ?? en.get(key.replace(PLURAL, '_other'));
        if (model !== undefined) expect(holes(text).filter((hole) => hole !== 'count'), `${language} ${key}`).toEqual(holes(model).filter((hole) => hole !== 'count'));
      }
    }
  });
  it('are there for every key that the pages say', async () => {
    const known = bases([...flat(await load('shared', 'en')).keys(), ...(app === 'shared' ? [] : flat(await load(app, 'en')).keys())]);
    const said = new Set<string>();
    for (const path of sources(join(SRC, app))) {
      for (const found of readFileSync(path, 'utf8').matchAll(/\bt\((?:[^()'"`]* \? )?'([a-z_]+\.[\w.]+)'(?: : '([a-z_]+\.[\w.]+)')?/g)) {
        for (const key of found.slice(1)) if (key) said.add(key);
      }
    }
    expect([...said].filter((key) => !known.has(key))).toEqual([]);
  });
});
