// Shows `data.name` in the title of the browser's tab, in place of `data.page`, the title that every row of the page has.
// A title of another page stays: this one is on its way out then. A count in front of the title belongs to the menu.
const COUNT = /^(\(\d+\) )?/;
const states = new WeakMap();

export default function ({ data, parentElement }) {
  const before = states.get(parentElement);
  before?.stop();
  const wanted = `${data.name} · Tavern`;
  const replaced = [`${data.page} · Tavern`, before?.wanted];

  const name = () => {
    const count = COUNT.exec(document.title)[0];
    const shown = document.title.slice(count.length);
    // Setting it to what it is would be a change again.
    if (shown !== wanted && replaced.includes(shown)) document.title = count + wanted;
  };
  const titles = new MutationObserver(name);
  titles.observe(document.head, { childList: true, subtree: true, characterData: true });
  name();

  const stop = () => titles.disconnect();
  states.set(parentElement, { stop, wanted });
  return stop;
}
