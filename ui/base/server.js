// Says in the page that the server is gone. The badge comes from the server, so without it the badge would stay `Live`.
//
// Streamlit's own page keeps the state of its websocket in an attribute and connects again by itself. While it is not
// connected, `data-tavern-server="gone"` on the document makes the style sheet replace the badge, and `data.text` is
// shown. Streamlit's dialog about it, which is for developers, is closed.
//
// A server that is suspended, or a cable that is cut, leaves the websocket open. So a page that somebody sees also asks
// the server for a small answer. The server says how long to wait until the next one: the more pages it has, the
// longer.
const APP = '[data-testid="stApp"]';
const STATE = "data-test-connection-state";
const FOREVER = "DISCONNECTED_FOREVER";
const HEALTH = "/_stcore/health?page";
const ASK_AFTER = "X-Ask-After";
const ASK_EVERY = 3000;
const ANSWER_WITHIN = 4000;
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
const stops = new WeakMap();

// A new element with this role is read aloud; an empty one would stand on every page.
const noteOf = (text) => {
  const note = document.createElement("p");
  note.className = "tv-gone";
  note.setAttribute("role", "alert");
  note.textContent = text;
  return note;
};

export default function ({ data, parentElement }) {
  stops.get(parentElement)?.();
  const app = document.querySelector(APP);
  const root = document.documentElement;

  let silent = false;
  let stopped = false;
  let timer;

  const state = () => app?.getAttribute(STATE) ?? "CONNECTED";
  const isCutOff = () => !navigator.onLine && !LOOPBACK.includes(location.hostname);
  const show = () => {
    const gone = silent || state() !== "CONNECTED" || isCutOff();
    if (gone) root.dataset.tavernServer = "gone";
    else delete root.dataset.tavernServer;
    const note = parentElement.querySelector(".tv-gone");
    if (!gone) note?.remove();
    else if (!note) parentElement.append(noteOf(data.text));
  };

  // The app's own dialogs have a block of elements in them.
  const closeDialog = () => {
    if (state() === "CONNECTED") return;
    for (const dialog of document.querySelectorAll('[data-testid="stDialog"]')) {
      if (!dialog.querySelector('[data-testid="stVerticalBlock"]')) dialog.querySelector('[aria-label="Close"]')?.click();
    }
  };

  // Not all pages at once, after a restart has loaded them at once.
  const schedule = (pause) => {
    clearTimeout(timer);
    timer = setTimeout(ask, pause * (0.75 + Math.random() / 2));
  };

  const ask = async () => {
    clearTimeout(timer);
    if (document.hidden) return;
    const sent = Date.now();
    const options = { cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN) };
    const answer = await fetch(HEALTH, options).catch(() => null);
    if (stopped) return;
    // Of a page that was hidden or suspended meanwhile, nobody knows how long the answer took.
    if (answer || (!document.hidden && Date.now() - sent < 2 * ANSWER_WITHIN)) {
      // A proxy in between answers 5xx for a server that is gone.
      silent = !answer || answer.status >= 500;
    }
    show();
    // Streamlit gives up after some errors. Then only a reload connects again.
    if (answer?.ok && state() === FOREVER) location.reload();
    schedule(1000 * answer?.headers.get(ASK_AFTER) || ASK_EVERY);
  };

  const states = new MutationObserver(show);
  if (app) states.observe(app, { attributes: true, attributeFilter: [STATE] });
  const dialogs = new MutationObserver(closeDialog);
  dialogs.observe(document.body, { childList: true });
  document.addEventListener("visibilitychange", ask);
  addEventListener("online", show);
  addEventListener("offline", show);
  show();
  schedule(ASK_EVERY);

  const stop = () => {
    states.disconnect();
    dialogs.disconnect();
    stopped = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", ask);
    removeEventListener("online", show);
    removeEventListener("offline", show);
  };
  stops.set(parentElement, stop);
  return stop;
}
