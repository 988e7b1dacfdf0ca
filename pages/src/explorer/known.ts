import { useEffect, useState } from 'react';
import { hex, utf8 } from './proof/bytes';
import { type Statement, readDocument } from './proof/documents';
import { type Proven, verify } from './proof/verify';

const KEPT = 'formicary.ledger';

/** The ledger's id that this browser saw first, and remembers: a changed one is worth a warning. */
export const keptLedger = (): string => { try { return localStorage.getItem(KEPT) ?? ''; } catch { return ''; } };
const keep = (id: string) => { try { localStorage.setItem(KEPT, id); } catch { /* private mode */ } };

export interface Known {
  head?: Statement;
  proven?: Proven;
  problem?: unknown;
  /** Whether it is another ledger than the one that this browser knew. */
  changed: boolean;
}

/** Fetches the signed head and checks it here. */
export async function readHead(since = 0n): Promise<{ head: Statement; proven: Proven; text: string }> {
  const reply = await fetch(`/v1/head${since > 0n ? `?since=${since}` : ''}`, { credentials: 'same-origin' });
  const text = await reply.text();
  const head = readDocument(utf8(text));
  if (head.kind !== 'head') throw new Error('not a head');
  return { head, proven: await verify(head), text };
}

/** The newest head, again every so often. */
export function useHead(everyMs = 10_000): Known {
  const [known, setKnown] = useState<Known>({ changed: false });
  useEffect(() => {
    let over = false;
    const look = async () => {
      if (document.hidden && known.head) return;
      try {
        const { head, proven } = await readHead();
        const before = keptLedger();
        if (!before) keep(proven.ledgerId);
        if (!over) setKnown((now) => (now.head && hex(now.head.head.root) === hex(head.head.root) && now.head.head.entry === head.head.entry ? now : { head, proven, changed: before !== '' && before !== proven.ledgerId }));
      } catch (problem) {
        if (!over) setKnown((now) => ({ ...now, problem }));
      }
    };
    void look();
    const timer = setInterval(() => void look(), everyMs);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [everyMs]); // eslint-disable-line react-hooks/exhaustive-deps
  return known;
}
