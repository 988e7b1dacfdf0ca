import { useState } from 'react';
import type { Purse } from '../../shared/answers';
import { useAsk } from '../../shared/useAsk';

const KEPT = 'formicary.asset';

/** One's accounts, kept fresh, and the currency that was used last. */
export function usePurses() {
  const { data, ...rest } = useAsk<{ items: Purse[] }>('/v1/wallet/accounts', undefined, { on: ['pay.', 'bank.', 'shop.', 'escrow.', 'guard.', 'clearing.', 'wallet.'] });
  const purses = data?.items ?? [];
  const [chosen, setChosen] = useState(() => { try { return localStorage.getItem(KEPT) ?? ''; } catch { return ''; } });
  const asset = purses.some((purse) => purse.asset === chosen) ? chosen : (purses[0]?.asset ?? 'EUR');
  const choose = (next: string) => {
    setChosen(next);
    try { localStorage.setItem(KEPT, next); } catch { /* private mode */ }
  };
  return { ...rest, purses, purse: purses.find((purse) => purse.asset === asset), asset, choose, assets: purses.map((purse) => purse.asset) };
}
