// Keeps the site in the browser, so that it opens without a network after the first visit: what the network answers
// is kept, and answered again when there is none. It stands before JupyterLite's own worker, in the same file, which
// goes on serving the kernel's files. The two constants are filled in when the site is built.
const FILES = [];
const KEPT = "iam-lab";  // a name for each build: what an older one kept is thrown away
let keeping;

self.addEventListener("fetch", event => {
    const url = new URL(event.request.url);
    const kernels = /\/api\/(drive|stdin|service-worker-heartbeat)/.test(url.pathname);
    if (event.request.method !== "GET" || !url.protocol.startsWith("http") || kernels) return;
    event.stopImmediatePropagation();
    event.respondWith(freshOrKept(event.request));
    event.waitUntil(keeping ??= keepAll());  // beside the answers, not before them
});

async function keepAll() {
    const cache = await caches.open(KEPT);
    for (const name of await caches.keys()) if (name.startsWith("iam-lab") && name !== KEPT) await caches.delete(name);
    for (const file of FILES) {
        if (await cache.match(file)) continue;
        const answer = await fetch(file).catch(() => null);
        if (answer?.ok) await cache.put(file, answer);
    }
}

async function freshOrKept(request) {
    const url = new URL(request.url);
    url.search = "";  // the same file, whichever notebook it shows
    const cache = await caches.open(KEPT);
    try {
        const answer = await fetch(request);
        if (answer.ok && answer.type !== "opaque" && !(await cache.match(url.href))) await cache.put(url.href, answer.clone());
        return answer;
    } catch (offline) {
        const kept = await cache.match(url.href);
        if (kept) return kept;
        throw offline;
    }
}

