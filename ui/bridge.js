// Makes the buttons inside a block of shared HTML work, and marks in it what belongs to the viewer.
//
// The block is the same for everybody. `data.block` is the class of the keyed container around it, `data.me` the
// viewer's id, `data.marks` says more about single rows: {row id: ["going", ...]}.
// - a row `[data-row]` gets `data-marks`; `mine` is added where `data-owner` is the viewer;
// - a button `[data-action]` is pressed when the row carries its `data-mark`, and reports a click.
const states = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  states.get(parentElement)?.();

  const container = document.querySelector(`.st-key-${CSS.escape(data.block)}`);
  if (!container) return undefined;
  let focused = null;

  const mark = () => {
    for (const row of container.querySelectorAll("[data-row]")) {
      const marks = [...(data.marks[row.dataset.row] ?? []), ...data.everywhere];
      if (data.me && row.dataset.owner === data.me) marks.push("mine");
      const text = marks.join(" ");
      if (row.dataset.marks !== text) row.dataset.marks = text;
      for (const button of row.querySelectorAll("[data-mark]")) {
        const pressed = marks.includes(button.dataset.mark);
        button.setAttribute("aria-pressed", String(pressed));
        button.disabled = button.hasAttribute("data-full") && !pressed;
      }
    }
    // New HTML has replaced the button that the keyboard was on.
    if (focused && document.activeElement === document.body) {
      container.querySelector(focused)?.focus({ preventScroll: true });
    }
  };

  const selector = (button) =>
    `[data-row="${CSS.escape(button.closest("[data-row]")?.dataset.row ?? "")}"] ` +
    `[data-action="${CSS.escape(button.dataset.action)}"]`;

  const click = (event) => {
    const button = event.target.closest("button[data-action]");
    if (!button || button.disabled) return;
    button.dataset.busy = "";
    setTriggerValue("action", {
      action: button.dataset.action,
      row: button.closest("[data-row]")?.dataset.row ?? "",
      nonce: crypto.randomUUID?.() ?? String(Math.random()),
    });
    setTimeout(() => delete button.dataset.busy, 3000);
  };
  const focus = (event) => {
    const button = event.target.closest("button[data-action]");
    focused = button ? selector(button) : null;
  };

  const observer = new MutationObserver(mark);
  observer.observe(container, { childList: true, subtree: true });
  container.addEventListener("click", click);
  container.addEventListener("focusin", focus);
  mark();

  const stop = () => {
    observer.disconnect();
    container.removeEventListener("click", click);
    container.removeEventListener("focusin", focus);
    states.delete(parentElement);
  };
  states.set(parentElement, stop);
  return stop;
}
