import { useSyncExternalStore } from 'react';

/**
 * Routes after the hash (#/send/@lena), so that the server needs to know no page of ours. Two doors of the wallet have
 * real paths, because others link to them: /pay/{order} and /authorize.
 */
const listeners = new Set<() => void>();
const announce = () => { for (const listener of [...listeners]) listener(); };
addEventListener('hashchange', announce);
addEventListener('popstate', announce);

export function here(): string {
  if (location.hash.startsWith('#/')) return location.hash.slice(1);
  const door = /^\/(pay\/[^/]+|authorize)/.exec(location.pathname);
  return door ? `${location.pathname}${location.search}` : '/';
}

let depth = 0;

export function go(to: string, how: { replace?: boolean } = {}): void {
  const hash = `#${to}`;
  if (location.hash === hash) return;
  const door = /^\/(pay\/|authorize)/.test(location.pathname);
  const url = door ? `/${hash}` : hash;
  if (how.replace) history.replaceState(null, '', url);
  else {
    history.pushState(null, '', url);
    depth += 1;
  }
  announce();
  scrollTo(0, 0);
}

/** Back to where one came from, or to `or` when this was the first page. */
export function back(or = '/'): void {
  if (depth > 0) {
    depth -= 1;
    history.back();
  } else go(or, { replace: true });
}

export const href = (to: string): string => `${/^\/(pay\/|authorize)/.test(location.pathname) ? '/' : ''}#${to}`;

/** Matches "/send/:to?" against a place; null when it doesn't fit. */
export function match(pattern: string, place: string): Record<string, string> | null {
  const path = place.split('?')[0] ?? '';
  const want = pattern.split('/').filter(Boolean);
  const have = path.split('/').filter(Boolean);
  if (have.length > want.length) return null;
  const found: Record<string, string> = {};
  for (const [index, part] of want.entries()) {
    const value = have[index];
    if (part.startsWith(':')) {
      if (value === undefined && !part.endsWith('?')) return null;
      if (value !== undefined) found[part.replace(/[:?]/g, '')] = decodeURIComponent(value);
    } else if (part !== value) return null;
  }
  return found;
}

export const search = (place: string): URLSearchParams => new URLSearchParams(place.split('?')[1] ?? '');

export const useHere = (): string =>
  useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, here);
