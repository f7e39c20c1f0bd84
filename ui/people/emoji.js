// Puts the emoji of a button `[data-emoji]` into the text field of the widget with the key `data.field`, as if it was typed,
// and marks the button whose emoji stands there.
const stops = new WeakMap();

export default function ({ data, parentElement }) {
  stops.get(parentElement)?.();
  const box = `.st-key-${data.field.replace(/[^a-zA-Z0-9_-]/g, "-")}`;
  const field = () => document.querySelector(`${box} input`);
  const buttons = () => document.querySelectorAll(".tv-emoji [data-emoji]");

  const mark = () => {
    const shown = field()?.value;
    for (const button of buttons()) button.setAttribute("aria-pressed", String(button.dataset.emoji === shown));
  };
  const click = (event) => {
    const button = event.target.closest(".tv-emoji [data-emoji]");
    const input = field();
    if (!button || !input) return;
    // React hears of a value only by way of the setter that it has replaced.
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, button.dataset.emoji);
    input.dispatchEvent(new Event("input", { bubbles: true }));
    // As if the field was left: until then Streamlit takes no other value from the server.
    input.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
    mark();
  };
  const typed = (event) => {
    if (event.target === field()) mark();
  };
  document.addEventListener("click", click);
  document.addEventListener("input", typed);
  // The field may still be on its way, and React fills it later.
  const drawn = requestAnimationFrame(() => requestAnimationFrame(mark));

  const stop = () => {
    cancelAnimationFrame(drawn);
    document.removeEventListener("click", click);
    document.removeEventListener("input", typed);
  };
  stops.set(parentElement, stop);
  return stop;
}
