import { useCallback, useEffect, useRef, useState } from 'react';
import { type Problem, asProblem, ask } from './api';
import { useEvents } from './events';

interface Asked<T> {
  data: T | undefined;
  problem: Problem | undefined;
  loading: boolean;
  again: () => void;
}

interface How {
  /** Events ("pay." is all of pay's) after which to read again. */
  on?: readonly string[];
  /** Read again every so many seconds while the page is seen. */
  everyS?: number;
}

/** Reads a path and keeps it fresh. `null` as path reads nothing yet. */
export function useAsk<T>(path: string | null, params?: Record<string, string | number | undefined>, how: How = {}): Asked<T> {
  const [state, setState] = useState<{ data?: T; problem?: Problem; loading: boolean }>({ loading: path !== null });
  const [round, setRound] = useState(0);
  const asked = path === null ? null : JSON.stringify([path, params ?? {}]);
  const last = useRef<string | null>(null);
  const again = useCallback(() => setRound((n) => n + 1), []);
  useEffect(() => {
    if (asked === null) return undefined;
    const stop = new AbortController();
    const [url, query] = JSON.parse(asked) as [string, Record<string, string>];
    const same = last.current === asked;
    last.current = asked;
    setState((now) => ({ data: same ? now.data : undefined, loading: true }));
    ask<T>(url, query, stop.signal)
      .then((data) => setState({ data, loading: false }))
      .catch((error: unknown) => {
        if (stop.signal.aborted) return;
        setState((now) => ({ data: now.data, problem: asProblem(error), loading: false }));
      });
    return () => stop.abort();
  }, [asked, round]);
  useEvents(how.on ?? [], again);
  useEffect(() => {
    if (!how.everyS) return undefined;
    const timer = setInterval(() => { if (!document.hidden) again(); }, how.everyS * 1000);
    return () => clearInterval(timer);
  }, [how.everyS, again]);
  return { data: state.data, problem: state.problem, loading: state.loading, again };
}
