// The service worker keeps the shell (scripts, style, icons, pages) so that the app opens without a network and can say
// so. It never keeps anything of /api: an old door state or an old picture must not be shown as new (S15).
declare const SHELL: string[];
declare const VERSION: string;

interface Worker {
  addEventListener(type: "install" | "activate", f: (e: { waitUntil(p: Promise<unknown>): void }) => void): void;
  addEventListener(type: "fetch", f: (e: { request: Request; respondWith(p: Promise<Response>): void }) => void): void;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  location: Location;
}
const worker = self as unknown as Worker;
const cacheName = "eyebolt-" + VERSION;
const pages = ["/", "/home", "/stop", "/ops"];

worker.addEventListener("install", (e) => {
  e.waitUntil(
    caches
      .open(cacheName)
      .then((c) => c.addAll([...SHELL, ...pages]))
      .then(() => worker.skipWaiting()),
  );
});

worker.addEventListener("activate", (e) => {
  e.waitUntil(
    caches
      .keys()
      .then((all) => Promise.all(all.filter((k) => k !== cacheName).map((k) => caches.delete(k))))
      .then(() => worker.clients.claim()),
  );
});

worker.addEventListener("fetch", (e) => {
  const url = new URL(e.request.url);
  if (e.request.method !== "GET" || url.origin !== worker.location.origin) return;
  if (SHELL.includes(url.pathname)) {
    e.respondWith(caches.match(url.pathname).then((hit) => hit ?? fetch(e.request)));
    return;
  }
  const page = pages.find((p) => url.pathname === p || (p !== "/" && url.pathname.startsWith(p + "/")));
  if (page === undefined || e.request.mode !== "navigate") return;
  // A page comes from the network if there is one: only so does a new version arrive.
  e.respondWith(fetch(e.request).catch(() => caches.match(page).then((hit) => hit ?? Response.error())));
});
