// Serves one function, given as the first argument: it either calls Deno.serve itself or exports { fetch }.
// Where it listens is told by DENO_SERVE_ADDRESS.

const background = new Set<Promise<unknown>>();

Object.defineProperty(globalThis, "EdgeRuntime", {
  value: {
    waitUntil(work: Promise<unknown>): Promise<unknown> {
      background.add(work);
      work
        .catch((error) => console.error("A background task failed:", error))
        .finally(() => background.delete(work));
      return work;
    },
  },
});

addEventListener("unhandledrejection", (event) => {
  // One failed call must not end the worker under the others.
  console.error("Unhandled rejection:", event.reason);
  event.preventDefault();
});

const module = await import(Deno.args[0]);
const handler = module.default?.fetch;
if (typeof handler === "function") {
  Deno.serve((request, info) => handler.call(module.default, request, info));
}
