// Enter and Ctrl+Enter (Command+Enter) both send what is typed in the text areas of the container whose key is
// `data.block`; Shift+Enter starts a new line. Streamlit's chat input takes only the one, its forms only the other.
const stops = new WeakMap();

export default function ({ data, parentElement }) {
  stops.get(parentElement)?.();
  const container = document.querySelector(`.st-key-${CSS.escape(data.block)}`);
  if (!container) return undefined;

  const pressed = (event) => {
    const { target, key, shiftKey, altKey, ctrlKey, metaKey, isComposing, isTrusted } = event;
    if (!isTrusted || key !== "Enter" || shiftKey || altKey || isComposing || target.tagName !== "TEXTAREA") return;
    const wanted = target.closest('[data-testid="stForm"]') !== null; // with Ctrl
    if (wanted === (ctrlKey || metaKey)) return;
    event.preventDefault();
    event.stopPropagation();
    const init = { key, code: "Enter", keyCode: 13, which: 13, ctrlKey: wanted, bubbles: true, cancelable: true };
    target.dispatchEvent(new KeyboardEvent("keydown", init));
  };
  container.addEventListener("keydown", pressed, true);

  const stop = () => container.removeEventListener("keydown", pressed, true);
  stops.set(parentElement, stop);
  return stop;
}
