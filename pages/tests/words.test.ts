import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Words } from '../src/shared/i18n';

const SOURCE = join(import.meta.dirname, '../src');
const APPS = ['wallet', 'till', 'operator', 'explorer'] as const;
const PLACES = ['shared', ...APPS] as const;
const flat = (words: Words, before = ''): string[] => Object.entries(words).flatMap(([key, value]) => (typeof value === 'string' ? [`${before}${key}`] : flat(value, `${before}${key}.`)));
const values = (words: Words): string[] => Object.values(words).flatMap((value) => (typeof value === 'string' ? [value] : values(value)));
const load = async (place: string, language: string) => (await import(`../src/${place}/locales/${language}.ts`)).default as Words;
/** Chinese has one form of number: what others say twice it says once. */
const plural = (key: string) => key.replace(/_(one|many|other)$/, '');

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? files(join(folder, one.name)) : /\.tsx?$/.test(one.name) && !folder.endsWith('locales') ? [join(folder, one.name)] : []));
}

test.each(PLACES)('%s has every form of number that each language has', async (place) => {
  for (const language of ['en', 'fr', 'zh']) {
    const keys = flat(await load(place, language));
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    const counted = keys.filter((key) => key.endsWith('_other')).map((key) => key.slice(0, -'_other'.length));
    for (const key of counted) for (const form of forms) expect(keys, language).toContain(`${key}_${form}`);
  }
});

describe.each(APPS)('the words of the %s', (app) => {
  test('are the same in three languages', async () => {
    const [en, fr, zh] = await Promise.all(['en', 'fr', 'zh'].map((language) => load(app, language)));
    const keys = (words: Words | undefined) => [...new Set(flat(words ?? {}).map(plural))].sort();
    expect(keys(fr)).toEqual(keys(en));
    expect(keys(zh)).toEqual(keys(en));
    expect(values(zh ?? {}).filter((text) => text.trim() === '')).toEqual([]);
  });

  test('name the same values in three languages', async () => {
    const holes = (words: Words, key: string) => {
      const text = key.split('.').reduce<string | Words | undefined>((now, part) => (typeof now === 'object' ? now[part] : undefined), words);
      return typeof text === 'string' ? [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name).sort() : undefined;
    };
    const [en, fr, zh] = await Promise.all(['en', 'fr', 'zh'].map((language) => load(app, language)));
    for (const key of flat(en ?? {})) for (const other of [fr, zh]) {
      const found = holes(other ?? {}, key);
      if (found) expect(found, key).toEqual(holes(en ?? {}, key));
    }
  });

  test('are there for every page that asks for them', async () => {
    const shared = await load('shared', 'en');
    const known = new Set([...flat(await load(app, 'en')), ...flat(shared), ...(app === 'explorer' ? flat(await load('explorer', 'en')) : [])].map(plural));
    const missing: string[] = [];
    for (const file of files(join(SOURCE, app))) for (const [, key = ''] of readFileSync(file, 'utf8').matchAll(/\bt\('([a-z_]+\.[A-Za-z0-9_.]+)'/g)) if (!known.has(plural(key))) missing.push(`${file}: ${key}`);
    expect(missing).toEqual([]);
  });
});
