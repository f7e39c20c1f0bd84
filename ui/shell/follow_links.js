// Follows links `a.tv-link` in blocks of HTML to other pages of the app without loading the app again: as the browser's own
// buttons Back and Forward do, by changing the address and saying so. Streamlit then shows the page of that address.
// It also copies the address of a button `[data-copy]`, and reports that to the server as `copied`.
const stops = new WeakMap();

const plain = (event) =>
  event.button === 0 && !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

// The clipboard is there only over https and on this machine.
const copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.style.position = "fixed";
    field.style.opacity = "0";
    const before = document.activeElement;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    before?.focus({ preventScroll: true });
    return done;
  }
};

export default function ({ parentElement, setTriggerValue }) {
  stops.get(parentElement)?.();
  const click = async (event) => {
    const link = event.target.closest("a.tv-link[href]");
    if (link && plain(event)) {
      event.preventDefault();
      history.pushState({}, "", link.href);
      dispatchEvent(new PopStateEvent("popstate", { state: history.state }));
      document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
      return;
    }
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const address = new URL(button.dataset.copy, location.href).href;
    setTriggerValue("copied", { address, done: await copy(address), nonce: `${Date.now()}-${Math.random()}` });
  };
  document.addEventListener("click", click);

  const stop = () => document.removeEventListener("click", click);
  stops.set(parentElement, stop);
  return stop;
}
