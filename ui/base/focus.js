// Moves the keyboard focus to the first element that matches `data.target`, once for each new `data.turn`. The element may
// still be on its way.
const PATIENCE = 3000; // milliseconds
const turns = new WeakMap();

export default function ({ data, parentElement }) {
  if (!data.turn || turns.get(parentElement) === data.turn) return;
  turns.set(parentElement, data.turn);
  const until = Date.now() + PATIENCE;
  const look = () => {
    const found = document.querySelector(data.target);
    if (found) {
      if (found.tabIndex < 0) found.tabIndex = -1;
      found.focus();
    } else if (Date.now() < until) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
