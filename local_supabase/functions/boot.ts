// Serves one function, given as the first argument: it either calls Deno.serve itself or exports { fetch }.
// DENO_SERVE_ADDRESS says where it listens.

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

type Handler = (request: Request, info: Deno.ServeHandlerInfo) => Response | Promise<Response>;
type Options = Deno.ServeOptions & { handler?: Handler };
const serve = Deno.serve;

// On a Unix socket the addresses of requests begin with http+unix:, which no function expects: such an
// address has no origin, and fetch refuses it.
function withHttpAddress(handler: Handler): Handler {
  return (request, info) => {
    const url = request.url.replace(/^http\+unix:/, "http:");
    Object.defineProperty(request, "url", { value: url, configurable: true });
    return handler(request, info);
  };
}

function serveHttp(first: Options | Handler, second?: Handler) {
  const options: Options = typeof first === "function" ? {} : first;
  const handler = typeof first === "function" ? first : second ?? options.handler;
  if (typeof handler !== "function") throw new TypeError("A handler function must be provided.");
  return serve({ ...options, handler: withHttpAddress(handler) } as Deno.ServeOptions & { handler: Handler });
}

Object.defineProperty(Deno, "serve", { value: serveHttp, configurable: true, writable: true });

const module = await import(Deno.args[0]);
const handler = module.default?.fetch;
if (typeof handler === "function") {
  Deno.serve((request, info) => handler.call(module.default, request, info));
}
