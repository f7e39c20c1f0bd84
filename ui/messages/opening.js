// Bridges the moment between the choice of a row and the arrival of what it opens: the row is marked at once, and the pane
// is inert until then, so that nobody writes to one person while looking at the name of another.
//
// `data.block` and `data.pane` are the keys of the containers of the rows and of what they open. `data.run` is new with each
// run of the page, which comes when the server has opened what was chosen.
const states = new WeakMap();

export default function ({ data, parentElement }) {
  states.get(parentElement)?.();
  const find = (key) => document.querySelector(`.st-key-${CSS.escape(key)}`);
  const [block, pane] = [find(data.block), find(data.pane)];
  if (!block || !pane) return undefined;
  pane.inert = false;
  let chosen = null;

  const mark = () => {
    for (const button of block.querySelectorAll('[data-action="open"]')) {
      const current = button.closest("[data-row]").dataset.row === chosen;
      if (current === (button.getAttribute("aria-current") === "true")) continue;
      if (current) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  };
  const picked = ({ detail }) => {
    if (detail.action !== "open") return;
    chosen = detail.row;
    pane.inert = true;
    mark();
  };
  // Until the answer, what others write draws the list with the old row marked.
  const drawn = new MutationObserver(() => chosen !== null && mark());
  drawn.observe(block, { childList: true, subtree: true });
  block.addEventListener("tavern-action", picked);

  const stop = () => {
    drawn.disconnect();
    block.removeEventListener("tavern-action", picked);
    pane.inert = false;
  };
  states.set(parentElement, stop);
  return stop;
}
