import { createContext, useContext } from 'react';
import type { ShopCard, Till } from './answers';

/** Where the person stands: the shop, their role in it, and the till of this device. */
export interface Standing {
  card: ShopCard;
  role: string;
  till: Till | undefined;
  tills: Till[];
  again: () => void;
}

export const Here = createContext<Standing | null>(null);

export function useShop(): Standing {
  const here = useContext(Here);
  if (!here) throw new Error('outside of a shop');
  return here;
}
