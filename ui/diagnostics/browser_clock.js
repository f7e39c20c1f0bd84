// Reports the time of the browser's clock, once for each new `data.request`.
const answered = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  if (answered.get(parentElement) === data.request) return;
  answered.set(parentElement, data.request);
  setTriggerValue("clock", { request: data.request, now: Date.now() });
}
