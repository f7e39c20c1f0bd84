// Reports clicks on the buttons `[data-action]` in a block of shared HTML, and keeps unfolded what a person has unfolded.
// `data.block` is the key of the container around it, which also gets each action as an event `tavern-action` at once.
// `data.session` names the session that a click is meant for: after a restart, a new one must not do it again.
//
// It listens on the document, because a full run may replace the container. Until it listens, the style sheet lets nobody
// press the buttons: `data-tavern-clicks` on the root says that it does.
const SAME_PLACE = 10; // pixels between press and release that are still one click
const READY = "data-tavern-clicks";
const ready = (globalThis.tavernClicks ??= new Set());
const KEPT = 20; // clicks that the server is sent again, because one request may take another's place
const states = new WeakMap();
const clicks = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  states.get(parentElement)?.();
  if (!clicks.has(parentElement)) clicks.set(parentElement, []);
  const root = document.documentElement;
  const selector = `.st-key-${CSS.escape(data.block)}`;
  const container = () => document.querySelector(selector);

  const inBlock = (element) => (element?.closest?.(selector) ? element : null);
  const buttonOf = (event) => inBlock(event.target)?.closest("button[data-action]") ?? null;
  const rowOf = (button) => button.closest("[data-row]")?.dataset.row ?? "";
  const find = ({ row, action }) => {
    const target = action === undefined ? "summary" : `[data-action="${CSS.escape(action)}"]`;
    return container()?.querySelector(`[data-row="${CSS.escape(row)}"] ${target}`);
  };

  const act = (button) => {
    if (!button || button.disabled) return;
    button.dataset.busy = "";
    setTimeout(() => delete button.dataset.busy, 2000);
    const detail = { action: button.dataset.action, row: rowOf(button) };
    container()?.dispatchEvent(new CustomEvent("tavern-action", { detail }));
    const click = { ...detail, session: data.session, nonce: `${Date.now()}-${Math.random()}` };
    clicks.set(parentElement, [...clicks.get(parentElement), click].slice(-KEPT));
    setStateValue("clicks", clicks.get(parentElement));
  };
  const click = (event) => act(buttonOf(event));

  // Where new HTML replaces a button that is being pressed, the browser reports no click. What was pressed counts, also if
  // another row stands there now.
  let pressed = null;
  const press = (event) => {
    const button = event.button === 0 ? buttonOf(event) : null;
    pressed = button && { button, row: rowOf(button), action: button.dataset.action, x: event.clientX, y: event.clientY };
  };
  const release = ({ type, clientX, clientY }) => {
    const last = pressed;
    pressed = null;
    if (type === "pointercancel" || !last || last.button.isConnected) return;
    if (Math.hypot(clientX - last.x, clientY - last.y) <= SAME_PLACE) act(find(last));
  };

  // What a person has unfolded stays so in new HTML.
  const unfolded = new Set();
  const toggle = ({ target }) => {
    const row = inBlock(target)?.closest("[data-row]")?.dataset.row;
    if (row === undefined) return;
    if (target.open) unfolded.add(row);
    else unfolded.delete(row);
  };
  const unfold = () => {
    for (const row of unfolded) {
      const details = container()?.querySelector(`[data-row="${CSS.escape(row)}"] details`);
      if (details && !details.open) details.open = true;
    }
  };

  const observer = new MutationObserver((changes) => {
    if (changes.some(({ target }) => inBlock(target))) unfold();
  });
  observer.observe(document.body, { childList: true, subtree: true });
  const listeners = { click, pointerdown: press, pointerup: release, pointercancel: release, toggle };
  for (const [name, listener] of Object.entries(listeners)) document.addEventListener(name, listener, true);
  ready.add(parentElement);
  root.toggleAttribute(READY, true);

  const stop = () => {
    observer.disconnect();
    for (const [name, listener] of Object.entries(listeners)) document.removeEventListener(name, listener, true);
    ready.delete(parentElement);
    root.toggleAttribute(READY, ready.size > 0);
  };
  states.set(parentElement, stop);
  return stop;
}
