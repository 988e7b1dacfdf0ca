import { useEffect, useRef } from 'react';
import { createStore } from './store';

/** One event of the ledger as the gateway sends it: `name` is "product.kind". */
export interface Happened {
  name: string;
  id: string;
  data: Record<string, unknown>;
}

type Listener = (event: Happened) => void;

/** Reads a `text/event-stream` piece by piece; gives whole events, keeps the rest. */
export function createParser(emit: Listener): (piece: string) => void {
  let rest = '';
  return (piece) => {
    rest += piece.replaceAll('\r\n', '\n');
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const block = rest.slice(0, end);
      rest = rest.slice(end + 2);
      let name = 'message';
      let id = '';
      const lines: string[] = [];
      for (const line of block.split('\n')) {
        if (line.startsWith(':')) continue;
        const cut = line.indexOf(':');
        const field = cut < 0 ? line : line.slice(0, cut);
        const value = cut < 0 ? '' : line.slice(cut + 1).replace(/^ /, '');
        if (field === 'event') name = value;
        else if (field === 'id') id = value;
        else if (field === 'data') lines.push(value);
      }
      if (lines.length === 0) continue;
      let data: Record<string, unknown> = {};
      try {
        data = JSON.parse(lines.join('\n')) as Record<string, unknown>;
      } catch {
        data = { text: lines.join('\n') };
      }
      emit({ name, id, data });
    }
  };
}

/** Whether the live line is open. */
export const live = createStore<'off' | 'opening' | 'open'>('off');

class Line {
  private readonly listeners = new Set<Listener>();
  private stop: AbortController | undefined;
  private lastId = '';

  constructor(private readonly url: string) {}

  add(listener: Listener): () => void {
    this.listeners.add(listener);
    if (!this.stop) void this.run();
    return () => {
      this.listeners.delete(listener);
      setTimeout(() => {
        if (this.listeners.size > 0) return;
        this.stop?.abort();
        this.stop = undefined;
        live.set('off');
      }, 1000);
    };
  }

  private async run(): Promise<void> {
    const stop = new AbortController();
    this.stop = stop;
    for (let failed = 0; !stop.signal.aborted; ) {
      live.set('opening');
      try {
        const headers: Record<string, string> = { Accept: 'text/event-stream' };
        if (this.lastId) headers['Last-Event-ID'] = this.lastId;
        const reply = await fetch(this.url, { headers, signal: stop.signal, credentials: 'same-origin' });
        if (reply.status === 401 || reply.status === 403 || reply.status === 404) break;
        if (!reply.ok || !reply.body) throw new Error(String(reply.status));
        live.set('open');
        if (failed > 0) for (const listener of [...this.listeners]) listener({ name: 'line.reopened', id: '', data: {} });
        failed = 0;
        const parse = createParser((event) => {
          if (event.id) this.lastId = event.id;
          for (const listener of [...this.listeners]) listener(event);
        });
        const reader = reply.body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>).getReader();
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          parse(value);
        }
        failed = 1;
      } catch {
        failed += 1;
      }
      if (stop.signal.aborted) break;
      live.set('opening');
      await new Promise((resolve) => setTimeout(resolve, Math.min(30_000, 500 * 2 ** failed)));
    }
    if (this.stop === stop) this.stop = undefined;
    live.set('off');
  }
}

const lines = new Map<string, Line>();

/**
 * Listens to the ledger's events as they happen. `names`: whole names or beginnings that end in a dot ("pay." is all
 * of pay's). `shop`: the events of a shop one works for, not one's own. A line that was lost and came back calls too
 * (name "line.reopened"), so that what was missed is read again.
 */
export function useEvents(names: readonly string[], then: Listener, shop?: string): void {
  const called = useRef(then);
  called.current = then;
  const wanted = names.join(' ');
  useEffect(() => {
    if (!wanted) return undefined;
    const url = shop ? `/v1/events?shop=${encodeURIComponent(shop)}` : '/v1/events';
    let line = lines.get(url);
    if (!line) lines.set(url, (line = new Line(url)));
    const parts = wanted.split(' ');
    return line.add((event) => {
      const hit = event.name === 'line.reopened' || event.name === 'door.dropped' || event.name === 'door.reload' || parts.some((part) => (part.endsWith('.') ? event.name.startsWith(part) : event.name === part));
      if (hit) called.current(event);
    });
  }, [wanted, shop]);
}
