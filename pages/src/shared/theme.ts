import type { ThemeConfig } from 'antd';
import { useSyncExternalStore } from 'react';

const KEPT = 'formicary.look';
export type Look = 'system' | 'light' | 'dark';
const dark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();
const announce = () => { for (const listener of listeners) listener(); };
dark.addEventListener('change', announce);

export function look(): Look {
  const kept = document.documentElement.dataset.look;
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

export function setLook(next: Look): void {
  if (next === 'system') delete document.documentElement.dataset.look;
  else document.documentElement.dataset.look = next;
  try { localStorage.setItem(KEPT, next); } catch { /* private mode */ }
  announce();
}

/** Call before the first render, so that nothing flashes. */
export function startLook(): void {
  try {
    const kept = localStorage.getItem(KEPT);
    if (kept === 'light' || kept === 'dark') document.documentElement.dataset.look = kept;
  } catch { /* private mode */ }
}

const watch = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useDark = (): boolean => useSyncExternalStore(watch, () => (look() === 'system' ? dark.matches : look() === 'dark'));
export const useLook = (): Look => useSyncExternalStore(watch, look);

/** antd's tokens in our colours; give `algorithm` theme.darkAlgorithm or defaultAlgorithm beside it. */
export function antdTheme(isDark: boolean): ThemeConfig {
  const c = isDark
    ? { clay: '#f2935a', sand: '#17110c', surface: '#221913', raised: '#2d211a', ink: '#f5e9d8', muted: '#b9a48c', line: '#3d2e23', moss: '#a5cc82', berry: '#ff9a9c', straw: '#f0bb5e', onClay: '#24140a', soft: '#32251c', claySoft: '#43281a' }
    : { clay: '#b0441a', sand: '#f6efe4', surface: '#fffaf2', raised: '#ffffff', ink: '#2b1d12', muted: '#6f5b48', line: '#e8dac6', moss: '#46712f', berry: '#a5213a', straw: '#e2a23b', onClay: '#fffaf2', soft: '#f1e4d1', claySoft: '#fae3d4' };
  const text = "'Figtree', 'Noto Sans', 'PingFang SC', 'Noto Sans CJK SC', 'Microsoft YaHei', system-ui, sans-serif";
  return {
    token: {
      colorPrimary: c.clay, colorInfo: c.clay, colorSuccess: c.moss, colorWarning: c.straw, colorError: c.berry, colorLink: c.clay,
      colorBgBase: c.surface, colorBgLayout: c.sand, colorBgContainer: c.surface, colorBgElevated: c.raised, colorTextBase: c.ink, colorTextSecondary: c.muted, colorTextDescription: c.muted,
      colorBorder: c.line, colorBorderSecondary: c.line, colorSplit: c.line, colorTextLightSolid: c.onClay,
      fontFamily: text, fontSize: 15, borderRadius: 10, borderRadiusLG: 16, controlHeight: 38, wireframe: false,
    },
    components: {
      Layout: { siderBg: isDark ? '#1c140e' : '#2b1d12', headerBg: c.sand, bodyBg: c.sand },
      Menu: { darkItemBg: 'transparent', darkItemColor: '#e7d3bb', darkItemSelectedBg: '#b0441a', darkItemSelectedColor: '#fffaf2', itemBorderRadius: 10 },
      Table: { headerBg: c.soft, rowHoverBg: c.soft, borderColor: c.line },
      Card: { boxShadowTertiary: '0 8px 24px #5a36140f' },
    },
  };
}
