// The service worker of /share-target, and of no other address: it keeps the photos that the system's "Share" sends. The
// gallery asks a person about them before it adds them, because other sites can send a form here too. A classic script.

const SHARED = "shared-photos"; // the cache that view/shared.js reads

self.addEventListener("fetch", (/** @type {any} */ event) => {
  if (event.request.method === "POST") event.respondWith(receive(event.request));
});

/** @param {Request} request */
async function receive(request) {
  try {
    await keep((await request.formData()).getAll("photos"));
    return Response.redirect("/", 303);
  } catch (error) {
    console.info("Shared photos are not kept:", error);
    return Response.redirect("/share-target", 303); // the page that says so
  }
}

/** Keep all files or none. @param {FormDataEntryValue[]} values */
async function keep(values) {
  const files = values.filter((value) => value instanceof File).filter(({ name, size }) => name || size);
  if (files.length === 0) throw new Error("There is no file.");
  const cache = await caches.open(SHARED);
  const kept = files.map((file) => ({ path: `/share-target/${crypto.randomUUID()}`, file }));
  const results = await Promise.allSettled(kept.map(({ path, file }) => {
    const headers = { "X-Name": encodeURIComponent(file.name), "X-Modified": String(file.lastModified) };
    return cache.put(path, new Response(file, { headers }));
  }));
  const failed = results.find((result) => result.status === "rejected");
  if (!failed) return;
  await Promise.all(kept.map(({ path }) => cache.delete(path)));
  throw failed.reason;
}
