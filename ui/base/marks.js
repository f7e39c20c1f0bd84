// Marks what belongs to the viewer, in a block of HTML that is the same for everybody.
//
// `data.block` is the key of the container around it, `data.me` the id of the viewer, `data.marks` are the marks of
// single rows ({row id: ["going", ...]}), and `data.everywhere` those of all rows.
// - A row `[data-row]` gets its marks as `data-marks`, with `mine` if its `data-owner` is the viewer.
// - Anything else with a `[data-owner]` gets `mine` likewise.
// - A `[data-note]` in a row gets the text of `data.notes` for that row.
// - A button `[data-mark]` is pressed if its row has that mark. `[data-full]` disables it unless it is pressed.
const states = new WeakMap();

export default function ({ data, parentElement }) {
  states.get(parentElement)?.();
  const container = document.querySelector(`.st-key-${CSS.escape(data.block)}`);
  if (!container) return undefined;

  const markButton = (button, marks) => {
    const pressed = marks.includes(button.dataset.mark);
    button.setAttribute("aria-pressed", String(pressed));
    button.disabled = button.hasAttribute("data-full") && !pressed;
  };
  // Only what differs, because the observer below sees it.
  const write = (note, text) => {
    if (note.textContent !== text) note.textContent = text;
  };
  const mark = () => {
    for (const row of container.querySelectorAll("[data-row]")) {
      const marks = [...(data.marks[row.dataset.row] ?? []), ...data.everywhere];
      if (data.me && row.dataset.owner === data.me) marks.push("mine");
      row.dataset.marks = marks.join(" ");
      for (const button of row.querySelectorAll("[data-mark]")) markButton(button, marks);
      for (const note of row.querySelectorAll("[data-note]")) write(note, data.notes?.[row.dataset.row] ?? "");
    }
    for (const other of container.querySelectorAll("[data-owner]:not([data-row])"))
      other.dataset.marks = data.me && other.dataset.owner === data.me ? "mine" : "";
  };

  // New HTML replaces the rows. The observer runs before the browser paints them.
  const observer = new MutationObserver(mark);
  observer.observe(container, { childList: true, subtree: true });
  mark();

  const stop = () => observer.disconnect();
  states.set(parentElement, stop);
  return stop;
}
