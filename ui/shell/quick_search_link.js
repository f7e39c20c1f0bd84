// Brings `data.found` to quick search (quick_search.js), and reports what it has `asked`, if `data.asks`.
// What is of an earlier owner of the tab, by `data.turn`, goes nowhere.
const shared = (globalThis.tavernSearch ??= {});

export default function ({ data, setTriggerValue }) {
  if (shared.turn > data.turn) return;
  if (shared.turn !== data.turn) shared.forget?.();
  shared.turn = data.turn;
  Object.assign(shared, data.found);
  if (data.asks) shared.ask = (asked) => setTriggerValue("asked", asked);
  shared.draw?.();
}
