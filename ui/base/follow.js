// Follows a block that scrolls and grows at its end, such as a chat. `data.block` is the key of its container, `data.me`
// the id of the viewer.
// - New rows `[data-row]` that arrive while one is scrolled up, or the page is hidden, are counted on a button that leads
//   to them, and a line stands before the first (`data-first-new`).
// - Rows added before what one reads, or a block that is rendered again, leave it where it is on the screen.
// - Rows `[data-unseen]` are reported once a visible page has shown them, and again while they stay marked: a report can
//   be lost with the run that should take it. While the server does not answer nothing is reported.
// - The row `data.goal` is brought into the middle and gets the focus, once for each visit: a link has led to it.
const APP = '[data-testid="stApp"]';
const STATE = "data-test-connection-state";
const NEAR = 40; // pixels from the end that still count as the end
const TOGETHER = 150; // milliseconds within which rows are reported together
const AGAIN = 5000; // milliseconds after which a row that is still marked is reported again
const MOST = 100; // rows in one report
const memories = new WeakMap();
const stops = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  stops.get(parentElement)?.();
  const block = document.querySelector(`.st-key-${CSS.escape(data.block)}`);
  if (!block) return undefined;
  const app = document.querySelector(APP);
  const memory = memories.get(block) ?? { known: new Set(), atEnd: true, line: null, count: 0, place: null, reached: "" };
  memories.set(block, memory);
  if (!data.goal) memory.reached = "";
  block.tabIndex = 0; // so that the keyboard can scroll it
  if (data.label) {
    block.setAttribute("role", "log");
    block.setAttribute("aria-label", data.label);
  }

  const rows = () => [...block.querySelectorAll("[data-row]")];
  const isVisible = () => document.visibilityState === "visible";
  const toEnd = () => {
    block.scrollTop = block.scrollHeight;
  };
  const topOf = (row) => row.getBoundingClientRect().top - block.getBoundingClientRect().top;

  // ---- what arrives out of sight
  const draw = (all) => {
    for (const row of all) row.toggleAttribute("data-first-new", row.dataset.row === memory.line);
    const shown = block.parentElement.querySelector(":scope > .tv-new");
    if (memory.count === 0) {
      shown?.remove();
      return;
    }
    const button = shown ?? document.createElement("button");
    button.type = "button";
    button.className = "tv-new";
    button.textContent = `${memory.count} new ↓`;
    button.onclick = () => {
      toEnd();
      block.focus({ preventScroll: true });
    };
    if (!shown) block.parentElement.append(button);
  };

  const begin = (all) => {
    const first = all.find((row) => row.hasAttribute("data-unseen"));
    memory.line = first?.dataset.row ?? null;
    memory.count = 0;
    memory.atEnd = true;
    // Streamlit scrolls to the end first.
    if (first) requestAnimationFrame(() => requestAnimationFrame(() => topOf(first) < 0 && (block.scrollTop += topOf(first) - NEAR)));
  };

  const arrived = (fresh) => {
    if (fresh.at(-1).dataset.owner === data.me) {
      memory.line = null;
      memory.count = 0;
      memory.atEnd = true;
      toEnd();
    } else if (memory.atEnd && isVisible()) {
      memory.line = null;
    } else {
      memory.line ??= fresh[0].dataset.row;
      memory.count += fresh.length;
    }
  };

  const stay = (all) => {
    const row = memory.place && all.find((each) => each.dataset.row === memory.place.row);
    if (row) block.scrollTop += topOf(row) - memory.place.top;
  };

  // ---- what a link leads to
  const reach = (all) => {
    const row = data.goal && memory.reached !== data.goal && all.find((each) => each.dataset.row === data.goal);
    if (!row) return;
    memory.reached = data.goal;
    memory.atEnd = false;
    // Streamlit scrolls to the end first.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        const goal = rows().find((each) => each.dataset.row === data.goal);
        if (!goal) return;
        block.scrollTop += topOf(goal) - (block.clientHeight - goal.offsetHeight) / 2;
        goal.tabIndex = -1;
        goal.focus({ preventScroll: true });
        for (const each of rows()) each.toggleAttribute("data-goal", each === goal);
        scrolled();
      }),
    );
  };

  const changed = () => {
    const all = rows();
    const start = all.findLastIndex((row) => memory.known.has(row.dataset.row)) + 1;
    const fresh = all.slice(start);
    if (start === 0) begin(all);
    else if (fresh.length) arrived(fresh);
    memory.known = new Set(all.map((row) => row.dataset.row));
    if (!memory.atEnd) stay(all);
    draw(all);
    watch(all);
    reach(all);
  };

  const scrolled = () => {
    memory.atEnd = block.scrollHeight - block.scrollTop - block.clientHeight < NEAR;
    const row = rows().find((each) => topOf(each) >= 0);
    memory.place = row ? { row: row.dataset.row, top: topOf(row) } : null;
    if (memory.atEnd && isVisible() && memory.count) {
      memory.count = 0;
      draw(rows());
    }
  };

  // ---- what was seen
  const inView = new Set();
  const reported = new Map(); // when each row was reported
  let timer = null;
  let later = null;
  const report = () => {
    timer = null;
    if (!isVisible() || app?.getAttribute(STATE) !== "CONNECTED") return;
    const now = performance.now();
    const seen = [...inView].filter((row) => !(now - reported.get(row) < AGAIN)).slice(0, MOST);
    if (!seen.length) return;
    for (const row of seen) reported.set(row, now);
    setTriggerValue("shown", { rows: seen, nonce: `${Date.now()}-${Math.random()}` });
    later = setTimeout(reportSoon, AGAIN);
  };
  const reportSoon = () => {
    timer ??= setTimeout(report, TOGETHER);
  };
  const looked = (entries) => {
    for (const { target, isIntersecting, intersectionRatio, intersectionRect } of entries) {
      if (isIntersecting && (intersectionRatio >= 0.5 || intersectionRect.height > block.clientHeight / 3)) {
        inView.add(target.dataset.row);
      } else inView.delete(target.dataset.row);
    }
    reportSoon();
  };
  const views = new IntersectionObserver(looked, { threshold: [0, 0.25, 0.5, 0.75, 1] });
  const watch = (all) => {
    views.disconnect();
    inView.clear();
    for (const row of all) if (row.hasAttribute("data-unseen")) views.observe(row);
  };

  const back = () => {
    if (isVisible()) scrolled();
    reportSoon();
  };
  const connections = new MutationObserver(() => {
    if (app.getAttribute(STATE) !== "CONNECTED") return;
    reported.clear();
    reportSoon();
  });
  if (app) connections.observe(app, { attributes: true, attributeFilter: [STATE] });
  const contents = new MutationObserver((changes) => {
    if (changes.some(({ addedNodes, removedNodes }) => addedNodes.length + removedNodes.length)) changed();
  });
  contents.observe(block, { childList: true, subtree: true });
  block.addEventListener("scroll", scrolled, { passive: true });
  document.addEventListener("visibilitychange", back);
  changed();

  const stop = () => {
    clearTimeout(timer);
    clearTimeout(later);
    views.disconnect();
    connections.disconnect();
    contents.disconnect();
    block.removeEventListener("scroll", scrolled);
    document.removeEventListener("visibilitychange", back);
    block.parentElement?.querySelector(":scope > .tv-new")?.remove();
  };
  stops.set(parentElement, stop);
  return stop;
}
