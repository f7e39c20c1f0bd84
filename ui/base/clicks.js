// Reports clicks on the buttons `[data-action]` in a block of shared HTML, and restores the keyboard focus when new HTML
// replaces the block. `data.block` is the key of the container around it.
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

  // What a person has unfolded stays so in new HTML.
  const unfolded = new Set();
  const toggle = ({ target }) => {
    const row = target.closest("[data-row]")?.dataset.row;
    if (target.open) unfolded.add(row);
    else unfolded.delete(row);
  };
  const unfold = () => {
    for (const row of unfolded) container.querySelector(`[data-row="${CSS.escape(row)}"] details`)?.setAttribute("open", "");
  };

  const observer = new MutationObserver(() => {
    unfold();
    refocus();
  });
  observer.observe(container, { childList: true, subtree: true });
  container.addEventListener("click", click);
  container.addEventListener("focusin", focus);
  container.addEventListener("toggle", toggle, true);

  // A dialog that closes gives the focus back to the button that opened it, which may have been replaced meanwhile.
  const dialogs = new MutationObserver(() => setTimeout(refocus));
  dialogs.observe(document.body, { childList: true });

  const stop = () => {
    observer.disconnect();
    dialogs.disconnect();
    container.removeEventListener("click", click);
    container.removeEventListener("focusin", focus);
    container.removeEventListener("toggle", toggle, true);
  };
  states.set(parentElement, stop);
  return stop;
}
