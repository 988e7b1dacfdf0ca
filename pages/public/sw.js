/*
 * The wallet's offline shell. Pages: from the network, else the kept one. Hashed files under /assets/ never change: kept
 * when first used. The API is never kept: what a person owns is not left lying in a browser's cache.
 */
const KEPT = 'formicary-shell-1';
const SHELL = ['/', '/manifest.webmanifest', '/icon.svg', '/icon-192.png'];
const FILES_MAX = 120;

self.addEventListener('install', (event) => {
  event.waitUntil((async () => {
    const kept = await caches.open(KEPT);
    await kept.addAll(SHELL);
    const page = await (await kept.match('/')).text();
    const files = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((found) => found[1]);
    await kept.addAll(files);
    await self.skipWaiting();
  })());
});

self.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name);
    await self.clients.claim();
  })());
});

async function file(request) {
  const kept = await caches.open(KEPT);
  const found = await kept.match(request);
  if (found) return found;
  const reply = await fetch(request);
  if (reply.ok) {
    await kept.put(request, reply.clone());
    const all = await kept.keys();
    for (const old of all.filter(({ url }) => url.includes('/assets/')).slice(0, Math.max(0, all.length - FILES_MAX))) await kept.delete(old);
  }
  return reply;
}

async function page(request, isWallet) {
  try {
    const reply = await fetch(request);
    if (reply.ok && isWallet) (await caches.open(KEPT)).put('/', reply.clone());
    return reply;
  } catch (error) {
    const kept = await caches.match('/');
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith('/assets/')) event.respondWith(file(request));
  else if (request.mode === 'navigate') {
    const isWallet = url.pathname === '/' || url.pathname.startsWith('/pay/');
    if (isWallet) event.respondWith(page(request, url.pathname === '/'));
  } else if (SHELL.includes(url.pathname)) event.respondWith(file(request));
});
