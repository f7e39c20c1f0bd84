// Tells the server once for each new `data.ask` what time the browser's clock shows.
const told = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  if (told.get(parentElement) === data.ask) return;
  told.set(parentElement, data.ask);
  setTriggerValue("clock", { ask: data.ask, now: Date.now() });
}
