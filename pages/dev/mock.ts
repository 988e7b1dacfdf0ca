/** Answers the API from memory while one works on the pages without a node. Development only; no build contains it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Plugin } from 'vite';
import { plain } from './mock-console';
import { routes as operator } from './mock-operator';
import { routes as wallet } from './mock-wallet';

export interface Call {
  path: Record<string, string>;
  query: URLSearchParams;
  body: Record<string, unknown>;
  request: IncomingMessage;
  reply: ServerResponse;
}
/** "GET /v1/pay/activity" → an object (JSON), a Refused, or null when it answered by itself. */
export type Routes = Record<string, (call: Call) => unknown>;
export class Refused {
  constructor(readonly code: string, readonly detail: string, readonly status = 409) {}
}

function find(all: Routes, method: string, path: string): [(call: Call) => unknown, Record<string, string>] | undefined {
  for (const [name, act] of Object.entries(all)) {
    const [verb, pattern = ''] = name.split(' ');
    if (verb !== method) continue;
    const names: string[] = [];
    const shape = pattern.replace(/\{(\w+)\}/g, (_, one: string) => { names.push(one); return '([^/]+)'; });
    const hit = new RegExp(`^${shape}$`).exec(path);
    if (hit) return [act, Object.fromEntries(names.map((one, index) => [one, decodeURIComponent(hit[index + 1] ?? '')]))];
  }
  return undefined;
}

export function mock(): Plugin {
  const all: Routes = { ...operator, ...wallet };
  return {
    name: 'formicary-mock',
    apply: 'serve',
    configureServer(server) {
      server.middlewares.use((request, reply, next) => {
        const url = new URL(request.url ?? '/', 'http://mock');
        if (/^\/(pay\/|authorize)/.test(url.pathname)) { request.url = '/index.html'; return next(); }
        if (/^\/(till|operator|explorer)$/.test(url.pathname)) { request.url = `${url.pathname}/index.html`; return next(); }
        const told = plain[url.pathname]?.();
        if (told) { reply.setHeader('Content-Type', told.type); return reply.end(told.body); }
        if (!/^\/(v1|oauth)\//.test(url.pathname)) return next();
        const found = find(all, request.method ?? 'GET', url.pathname);
        const answer = (status: number, body: unknown) => {
          reply.statusCode = status;
          reply.setHeader('Content-Type', status < 400 ? 'application/json' : 'application/problem+json');
          reply.end(JSON.stringify(body));
        };
        if (!found) return answer(404, { code: 'not_found', detail: `mock has no ${request.method} ${url.pathname}` });
        let text = '';
        request.on('data', (piece: Buffer) => { text += piece.toString(); });
        request.on('end', () => {
          const result = found[0]({ path: found[1], query: url.searchParams, body: text ? (JSON.parse(text) as Record<string, unknown>) : {}, request, reply });
          if (result === null) return;
          setTimeout(() => (result instanceof Refused ? answer(result.status, { code: result.code, detail: result.detail }) : answer(200, result ?? {})), 60);
        });
      });
    },
  };
}
