// Reports clicks on the plain buttons `[data-action]` in a block of shared HTML, and keeps the keyboard's place there
// when new HTML replaces the block. `data.block` is the class of the keyed container around it.
const states = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  states.get(parentElement)?.();
  const container = document.querySelector(`.st-key-${CSS.escape(data.block)}`);
  if (!container) return undefined;
  let focused = null;

  const buttonOf = (event) => event.target.closest("button[data-action]");
  const rowOf = (button) => button.closest("[data-row]")?.dataset.row ?? "";

  const click = (event) => {
    const button = buttonOf(event);
    if (!button || button.disabled) return;
    button.dataset.busy = "";
    setTimeout(() => delete button.dataset.busy, 2000);
    setTriggerValue("action", {
      action: button.dataset.action,
      row: rowOf(button),
      nonce: `${Date.now()}-${Math.random()}`,
    });
  };
  const focus = (event) => {
    const button = buttonOf(event);
    focused = button && { row: rowOf(button), action: button.dataset.action };
  };
  const refocus = () => {
    if (!focused || document.activeElement !== document.body) return;
    const row = container.querySelector(`[data-row="${CSS.escape(focused.row)}"]`);
    row?.querySelector(`[data-action="${CSS.escape(focused.action)}"]`)?.focus({ preventScroll: true });
  };

  const observer = new MutationObserver(refocus);
  observer.observe(container, { childList: true, subtree: true });
  container.addEventListener("click", click);
  container.addEventListener("focusin", focus);

  const stop = () => {
    observer.disconnect();
    container.removeEventListener("click", click);
    container.removeEventListener("focusin", focus);
  };
  states.set(parentElement, stop);
  return stop;
}
