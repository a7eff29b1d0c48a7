// Keeps the files of one page, under the version of its build, so that it opens without network. Nothing that a server says about
// a person goes through here: only a page's own files are answered. `FILES` and `VERSION` are put in front by the build.
//
// The page itself comes from the network whenever there is one, so that nobody is left with an old page; its other files have
// their content in their names. A new version takes over when the last window of the old one is closed.

const patience_ms = 3_000;
const page = new URL('./', self.location).href;
const known = new Set(FILES.map((file) => new URL(file, page).href));

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: 'reload' })))));
});

self.addEventListener('activate', (event) => {
  const own = VERSION.slice(0, VERSION.lastIndexOf('-'));
  event.waitUntil(
    caches.keys().then((names) => Promise.all(names.filter((name) => name.startsWith(`${own}-`) && name !== VERSION).map((name) => caches.delete(name)))),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = request.url.split(/[?#]/)[0];
  if (request.method !== 'GET') return;
  if (request.mode === 'navigate' && url === page) event.respondWith(newest(request));
  else if (known.has(url) && url !== page) event.respondWith(kept(request, url));
});

async function newest(request) {
  try {
    return await fetch(request, { signal: AbortSignal.timeout(patience_ms) });
  } catch {
    return (await (await caches.open(VERSION)).match(page)) ?? Response.error();
  }
}

async function kept(request, url) {
  return (await (await caches.open(VERSION)).match(url)) ?? fetch(request);
}
