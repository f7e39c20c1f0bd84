// Marks, in a block of HTML that is the same for everybody, what belongs to the viewer.
//
// `data.block` is the class of the keyed container around it, `data.me` the viewer's id, `data.marks` says more
// about single rows: {row id: ["going", ...]}, and `data.everywhere` about all of them.
// - a row `[data-row]` gets them as `data-marks`, and `mine` where its `data-owner` is the viewer;
// - a button `[data-mark]` is pressed when its row has that mark; `[data-full]` closes it to everybody else.
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
  const mark = () => {
    for (const row of container.querySelectorAll("[data-row]")) {
      const marks = [...(data.marks[row.dataset.row] ?? []), ...data.everywhere];
      if (data.me && row.dataset.owner === data.me) marks.push("mine");
      row.dataset.marks = marks.join(" ");
      for (const button of row.querySelectorAll("[data-mark]")) markButton(button, marks);
    }
  };

  // New HTML replaces the rows; this runs before they are painted.
  const observer = new MutationObserver(mark);
  observer.observe(container, { childList: true, subtree: true });
  mark();

  const stop = () => observer.disconnect();
  states.set(parentElement, stop);
  return stop;
}
