import { useEvents } from '../shared/events';
import { useAsk } from '../shared/useAsk';
import { usePlace } from './place';

const SHOP_EVENTS = ['shop.'] as const;

/** Reads a path of the shop, and again whenever something happens in the shop. */
export function useLive<T>(path: string | null, params?: Record<string, string | number | undefined>, names: readonly string[] = SHOP_EVENTS) {
  const { shop } = usePlace();
  const found = useAsk<T>(path, params);
  useEvents(path && shop ? names : [], found.again, shop);
  return found;
}
