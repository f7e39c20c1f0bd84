// Quick search: Ctrl+K (Command+K), or a button `[data-quick-search]`, opens a dialog. Its field is a combobox, and what was
// found a list box below it: the arrows choose, Enter goes there, Escape closes and gives the focus back.
//
// `data.pages` are the pages of the menu. Everything else comes and goes through quick_search_link.js: it is small, because
// Streamlit sends a component's script with all that it sends it. `data.turn` changes with the tab's owner: then nothing of the
// one before stays. Texts of people become text nodes, and nothing else.
const PAUSE = 120; // milliseconds without a key, after which the loaded messages are searched
const LONG_PAUSE = 350; // the same for all messages
const MOST = 6; // lines in a group
// `index` has the people and events to look through here, `plain` what people type in place of single characters, `answer` the
// messages that the server has found.
const shared = (globalThis.tavernSearch ??= {});
const nothing = { index: null, plain: {}, answer: null };
const isApple = /Mac|iPhone|iPad/.test(navigator.platform);
const stops = new WeakMap();

// ---------------------------------------------------------------- what is found

const fold = (text) => {
  const letters = [...text.normalize("NFKD")].map((letter) => shared.plain?.[letter] ?? letter);
  return letters.join("").normalize("NFC").toLowerCase();
};

// The beginning of the whole, the beginning of a word, or anywhere.
const rank = (text, words, query) => {
  if (!words.every((word) => text.includes(word))) return -1;
  if (text.startsWith(query)) return 0;
  return words.every((word) => text.startsWith(word) || text.includes(` ${word}`)) ? 1 : 2;
};

const matching = (lines, query) => {
  const words = query.split(" ").filter(Boolean);
  const found = [[], [], []];
  for (const line of lines) {
    const place = rank(line[3] || line[1].toLowerCase(), words, query);
    if (place >= 0) found[place].push(line);
  }
  return found.flat().slice(0, MOST);
};

const groupsFor = (typed) => {
  const query = fold(typed);
  if (!query) return [["Pages", shared.pages]];
  const index = shared.index ?? {};
  const groups = [["Pages", matching(shared.pages, query)]];
  const answered = shared.answer?.query === typed ? shared.answer.groups : {};
  for (const name of ["People", "Events"])
    groups.push([name, [...matching(index[name] ?? [], query), ...(answered[name] ?? [])].slice(0, MOST)]);
  groups.push(["Messages", answered.Messages ?? []]);
  return groups.filter(([, lines]) => lines.length > 0);
};

// ---------------------------------------------------------------- the dialog

const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};

const typedIn = (field) => field.value.slice(0, shared.longest).trim().split(/\s+/).join(" ");

const goBackTo = (before) => {
  if (before?.isConnected && before.checkVisibility()) before.focus({ preventScroll: true });
  else document.querySelector('[data-testid="stMain"]')?.focus({ preventScroll: true });
};

class Dialog {
  constructor(before) {
    this.before = before;
    this.active = 0;
    this.field = element("input", {
      type: "text",
      role: "combobox",
      "aria-label": "Search people, events, messages and pages",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": "tv-search-list",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      enterkeyhint: "go",
      maxlength: String(shared.longest),
      placeholder: "Search people, events, messages…",
    });
    this.list = element("div", { id: "tv-search-list", role: "listbox", "aria-label": "Found" });
    this.status = element("p", { role: "status", class: "tv-search-status" });
    const close = element("button", { type: "button", class: "tv-action" }, "Close");
    const head = element("div", { class: "tv-search-head" }, this.field, close);
    this.box = element("dialog", { class: "tv-search", "aria-label": "Search" }, head, this.list, this.status);
    close.addEventListener("click", () => this.leave());
    this.field.addEventListener("input", () => this.typed());
    this.box.addEventListener("keydown", (event) => this.pressed(event));
    this.box.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.leave();
    });
    // A click beside the box is one on the dialog itself.
    this.box.addEventListener("click", (event) => event.target === this.box && this.leave());
    this.list.addEventListener("click", (event) => event.target.closest("a") && this.went(event));
    this.list.addEventListener("pointermove", (event) => this.pointed(event));
    document.body.append(this.box);
    this.box.showModal();
    this.field.focus();
    this.draw();
    ask({ open: true });
  }

  get options() {
    return [...this.list.querySelectorAll('[role="option"]')];
  }

  typed() {
    this.active = 0;
    this.draw();
    clearTimeout(this.soon);
    clearTimeout(this.later);
    const query = typedIn(this.field);
    if (query.length < shared.shortest) return;
    this.soon = setTimeout(() => ask({ open: true, query }), PAUSE);
    this.later = setTimeout(() => ask({ open: true, query, everywhere: true }), LONG_PAUSE);
  }

  draw() {
    const chosen = this.active > 0 ? this.options[this.active]?.getAttribute("href") : null;
    const typed = typedIn(this.field);
    const groups = groupsFor(typed);
    let number = 0;
    const drawn = groups.map(([name, lines]) => {
      const options = lines.map(([href, title, detail]) => optionOf(number++, href, title, detail));
      return element("div", { role: "group", "aria-label": name }, element("div", { class: "tv-group", "aria-hidden": "true" }, name), ...options);
    });
    this.list.replaceChildren(...drawn);
    this.list.hidden = number === 0;
    this.field.setAttribute("aria-expanded", String(number > 0));
    // What arrives later may stand before what was chosen.
    const again = chosen ? this.options.findIndex((option) => option.getAttribute("href") === chosen) : -1;
    this.choose(again >= 0 ? again : Math.min(this.active, Math.max(0, number - 1)), false);
    this.say(typed, number);
  }

  say(typed, count) {
    const answer = shared.answer?.query === typed ? shared.answer : null;
    const enough = typed.length >= shared.shortest;
    let text = "";
    if (answer?.problem) text = answer.problem;
    else if (enough && !answer?.everywhere) text = count ? "Searching all messages…" : "Searching…";
    else if (typed && !count) text = enough ? "Nothing found. Try fewer letters, or another word." : "Type one more letter.";
    else if (typed) text = count === 1 ? "1 result" : `${count} results`;
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  choose(number, scroll = true) {
    const options = this.options;
    this.active = number;
    options.forEach((option, place) => option.setAttribute("aria-selected", String(place === number)));
    const option = options[number];
    if (option) this.field.setAttribute("aria-activedescendant", option.id);
    else this.field.removeAttribute("aria-activedescendant");
    if (option && scroll) option.scrollIntoView({ block: "nearest" });
    else if (!scroll && number === 0) this.list.scrollTop = 0;
  }

  pressed(event) {
    const count = this.options.length;
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.leave();
    } else if (event.target !== this.field || count === 0) return;
    else if (event.key === "ArrowDown") this.choose((this.active + 1) % count);
    else if (event.key === "ArrowUp") this.choose((this.active + count - 1) % count);
    else if (event.key === "Enter") this.options[this.active]?.click();
    else return;
    event.preventDefault();
  }

  pointed({ target }) {
    const option = target.closest('[role="option"]');
    const place = option ? this.options.indexOf(option) : -1;
    if (place >= 0 && place !== this.active) this.choose(place, false);
  }

  // The link is followed by who follows all links; with Ctrl it opens beside this tab.
  went(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    setTimeout(() => this.end());
  }

  leave() {
    const { before } = this;
    this.end();
    goBackTo(before);
  }

  end() {
    clearTimeout(this.soon);
    clearTimeout(this.later);
    this.box.close();
    this.box.remove();
    shared.dialog = null;
    shared.answer = null;
    ask({ open: false });
  }
}

const optionOf = (number, href, title, detail) => {
  const attributes = { role: "option", id: `tv-search-${number}`, class: "tv-link", href, tabindex: "-1", "aria-selected": "false" };
  const texts = [element("bdi", {}, title)];
  if (detail) texts.push(element("small", { dir: "auto" }, detail));
  return element("a", attributes, ...texts);
};

const ask = ({ open, query = "", everywhere = false }) =>
  shared.ask?.({ open, query, everywhere, nonce: `${Date.now()}-${Math.random()}` });

const open = (before) => {
  // Where another dialog is open, what is in it comes first.
  if (shared.dialog || document.querySelector('[data-testid="stDialog"]')) return;
  shared.dialog = new Dialog(before);
};

// ---------------------------------------------------------------- the components

const pressed = (event) => {
  const wanted = isApple ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
  if (!wanted || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
  event.preventDefault();
  event.stopPropagation();
  if (shared.dialog) shared.dialog.leave();
  else open(document.activeElement);
};
const clicked = (event) => {
  const button = event.target.closest?.("[data-quick-search]");
  if (button) setTimeout(() => open(button));
};

const forget = () => {
  if (shared.turn === undefined) return; // the link may have come first
  const { dialog } = shared;
  Object.assign(shared, { ...nothing, ask: null }); // before it closes, so that it asks nobody
  dialog?.end();
};

export default function ({ data, parentElement }) {
  stops.get(parentElement)?.();
  shared.forget = forget;
  if (shared.turn !== data.turn) forget();
  Object.assign(shared, data);
  shared.draw = () => shared.dialog?.draw();
  shared.draw();
  document.documentElement.toggleAttribute("data-tavern-apple", isApple);
  // Until it listens, the style sheet lets nobody press the button.
  document.documentElement.toggleAttribute("data-tavern-search", true);
  document.addEventListener("keydown", pressed, true);
  document.addEventListener("click", clicked);
  const stop = () => {
    document.removeEventListener("keydown", pressed, true);
    document.removeEventListener("click", clicked);
  };
  stops.set(parentElement, stop);
  return stop;
}
