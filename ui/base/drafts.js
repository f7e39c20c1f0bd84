// Keeps in the browser what a person types, until it is sent or discarded: one draft for each person and place.
//
// - `data.place` names what the text is for (`chat:room`, `conversation:<id>`). The keys of its fields begin with
//   `data.prefix`. Without a place only `data.forgotten` is read.
// - `data.person` is the id of the signed-in person, empty for a visitor. A visitor's draft belongs to this tab alone,
//   and to whoever signs in here next: it waits through signing in.
// - `data.row`, if it is not null, holds the texts of a row that the form changes, and others may change. A text is put
//   back only into a field that still shows what it showed when the person began to type; otherwise it is shown beside
//   the form. A field cannot be asked for its text when it appears, because React fills it later.
// - `data.note`: say that a draft is back, and offer to discard it.
// - `data.forgotten` lists drafts that were sent or discarded: {nonce, place, print}. With a fingerprint only that text.
//
// Texts, times and the choice between buttons go back into their fields here. The options of select boxes are reported to
// the server, which sets them; those of a box for several are sorted, one a line. Fields for passwords are never read.
const PREFIX = "tavern-draft";
const states = new WeakMap(); // of each place on the page
const bases = new WeakMap(); // what each field showed before the person typed
const waiting = new WeakSet(); // for the server
const done = (globalThis.tavernForgottenDrafts ??= new Set());
const INSIST = 2000; // milliseconds until an option that the server does not show is reported again
const MOST_REPORTS = 3; // again; the option may be gone

// ---------------------------------------------------------------- the store

const storeOf = (person) => (person ? localStorage : sessionStorage);
const keyOf = (person, place) => `${PREFIX}/${person || "visitor"}/${place}`;

const load = (person, place) => {
  try {
    return JSON.parse(storeOf(person).getItem(keyOf(person, place)))?.fields ?? {};
  } catch {
    return {};
  }
};

const remove = (person, place) => storeOf(person).removeItem(keyOf(person, place));

const drop = (store) => {
  const drafts = Object.keys(store).filter((key) => key.startsWith(`${PREFIX}/`));
  const age = (key) => Number(/"at":(\d+)/.exec(store.getItem(key))?.[1] ?? 0);
  const oldest = drafts.sort((one, other) => age(one) - age(other))[0];
  if (oldest) store.removeItem(oldest);
  return Boolean(oldest);
};

const keep = (person, place, fields) => {
  if (Object.keys(fields).length === 0) {
    remove(person, place);
    return;
  }
  const store = storeOf(person);
  const text = JSON.stringify({ at: Date.now(), fields });
  for (;;) {
    try {
      store.setItem(keyOf(person, place), text);
      return;
    } catch {
      // The browser's room is used up: the oldest draft makes place.
      if (!drop(store)) return;
    }
  }
};

// As `fingerprint` in drafts.py.
const fingerprint = (text) => {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text.split(/\s+/).filter(Boolean).join(" ")))
    value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
};

const forget = (person, forgotten) => {
  for (const { nonce, place, print } of forgotten) {
    if (done.has(nonce)) continue;
    done.add(nonce);
    const texts = Object.values(load(person, place)).map((field) => field.text);
    if (print === null || texts.every((text) => fingerprint(text) === print)) remove(person, place);
    // What a visitor has typed and then sent, as the address to sign in with.
    if (print === null && person) remove("", place);
  }
};

// What stands in two drafts of one field follows one another, so that neither is lost.
const joined = (fields, more) => {
  const all = { ...fields };
  for (const [name, field] of Object.entries(more)) {
    const own = all[name];
    all[name] = own && own.text !== field.text ? { ...own, text: `${own.text}\n${field.text}` } : field;
  }
  return all;
};

const adopt = ({ person, place }) => {
  const waiting = person ? load("", place) : {};
  if (Object.keys(waiting).length > 0) {
    keep(person, place, joined(load(person, place), waiting));
    remove("", place);
  }
};

// ---------------------------------------------------------------- the fields

const DAY = '[data-testid="stDateInput"] input[type="date"]';
// A time of day is an option: its field takes no value from the page.
const OPTION = '[data-testid="stSelectbox"] input, [data-testid="stTimeInput"] input[type="hidden"]';
const SEVERAL = '[data-testid="stMultiSelect"] input';
const BUTTONS = '[data-testid="stRadioGroup"]';
const TEXT = 'textarea, input[type="text"], input[type="number"]';

// The class is on the element that holds the widget, so a field is never taken for that of another place, which may
// stand where it stood before.
const fieldsOf = (prefix) => {
  const mark = `st-key-${prefix.replace(/[^a-zA-Z0-9_-]/g, "-")}`;
  const boxes = document.querySelectorAll(`[data-testid="stElementContainer"][class*="${mark}"]`);
  return [...boxes].flatMap((box) => {
    const key = [...box.classList].find((name) => name.startsWith(mark));
    const input = [DAY, SEVERAL, OPTION, BUTTONS, TEXT].map((kind) => box.querySelector(kind)).find(Boolean);
    if (!key || !input) return [];
    const label = box.querySelector('[data-testid="stWidgetLabel"]')?.textContent.trim() ?? "";
    const [day, several, buttons] = [DAY, SEVERAL, BUTTONS].map((kind) => input.matches(kind));
    const option = several || input.matches(OPTION);
    return [{ name: key.slice(mark.length), label, box, input, option, several, day, buttons }];
  });
};

const inOrder = (lines) => lines.filter(Boolean).sort().join("\n");
const buttonsOf = (field) => [...field.input.querySelectorAll("label")];

const textIn = (field) => {
  if (field.several) return inOrder([...field.box.querySelectorAll("[data-tag]")].map((tag) => tag.ariaLabel));
  if (!field.buttons) return field.input.value;
  const chosen = buttonsOf(field).find((label) => label.querySelector("input")?.checked);
  return chosen?.textContent.trim() ?? "";
};

const press = (field, text) =>
  buttonsOf(field)
    .find((label) => label.textContent.trim() === text)
    ?.click();

// React hears of a value only by way of the setter that it has replaced.
const write = (input, text) => {
  const type = input instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
  Object.getOwnPropertyDescriptor(type.prototype, "value").set.call(input, text);
  input.dispatchEvent(new Event("input", { bubbles: true }));
  // As if the field was left: until then Streamlit takes no other value from the server, and no day from the field.
  input.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
};

// ---------------------------------------------------------------- the note

const noteOf = (kept, discard) => {
  const note = document.createElement("div");
  note.className = "tv-draft";
  note.setAttribute("role", "status");
  const line = document.createElement("p");
  line.textContent = "What you had not sent is here again.";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Discard it";
  button.addEventListener("click", discard);
  line.append(" ", button);
  note.append(line);
  for (const [name, text] of kept) {
    const beside = document.createElement("p");
    beside.textContent = `Somebody has changed “${name}” since. You had written: `;
    const quote = document.createElement("q");
    quote.textContent = text;
    beside.append(quote);
    note.append(beside);
  }
  return note;
};

// ---------------------------------------------------------------- the component

// `back`: a draft has been put back. `beside` holds texts that could not be. `asked` holds the options that the server was
// asked to show, `reported` those by their fields, and `again` counts how often they were reported again.
const newState = () => ({
  back: false,
  beside: new Map(),
  asked: new Set(),
  reported: {},
  again: 0,
  timer: 0,
  stop: () => {},
});

export default function ({ data, parentElement, setTriggerValue }) {
  const { person, place } = data;
  forget(person, data.forgotten);
  if (!place) return undefined;
  const state = states.get(parentElement) ?? newState();
  states.set(parentElement, state);
  state.stop();
  adopt(data);
  let writing = false;

  const show = () => {
    parentElement.querySelector(".tv-draft")?.remove();
    if (data.note && (state.back || state.beside.size > 0)) parentElement.append(noteOf(state.beside, discard));
  };
  const put = (field, text) => {
    writing = true;
    if (field.buttons) press(field, text);
    else write(field.input, text);
    writing = false;
  };
  const report = (chosen) => {
    setTriggerValue("options", { chosen, nonce: `${Date.now()}-${Math.random()}` });
    insistLater();
  };

  function insistLater() {
    clearTimeout(state.timer);
    if (Object.keys(state.reported).length > 0) state.timer = setTimeout(insist, INSIST);
  }

  // Of two reports in one moment the server may hear only the first.
  function insist() {
    const kept = load(person, place);
    const missing = fieldsOf(data.prefix).some(
      (field) =>
        kept[field.name] &&
        kept[field.name].text === state.reported[field.name] &&
        textIn(field) === kept[field.name].base &&
        document.activeElement !== field.input,
    );
    if (!missing || state.again >= MOST_REPORTS) return;
    state.again += 1;
    report({ ...state.reported });
  }

  const save = (field) => {
    if (writing || waiting.has(field.input) || !bases.has(field.input)) return;
    const fields = load(person, place);
    const [text, base] = [textIn(field), bases.get(field.input)];
    if ((fields[field.name]?.text ?? base) === text) return;
    if (text === base) delete fields[field.name];
    else fields[field.name] = { text, base };
    keep(person, place, fields);
  };

  const shownIn = (field) => {
    const text = data.row?.[field.name]?.replace(/\r\n?/g, "\n") ?? textIn(field);
    return field.several ? inOrder(text.split("\n")) : text;
  };

  // Put a text back into its field; return whether the server has to, because it is an option.
  const restore = (field, { text, base }) => {
    const now = shownIn(field);
    // An option that is back stands where the person has changed it from its base.
    bases.set(field.input, data.row && !(field.option && now === text) ? now : base);
    if (now === text) return false;
    if (data.row && now !== base) {
      state.beside.set(field.label, text);
      return false;
    }
    state.back = true;
    if (!field.option) put(field, text);
    if (!field.option || state.asked.has(text)) return false;
    // The server shows the field anew. Until then it shows what the person did not choose.
    state.asked.add(text);
    waiting.add(field.input);
    return true;
  };

  const look = () => {
    const fresh = fieldsOf(data.prefix).filter((field) => !bases.has(field.input));
    if (fresh.length === 0) return;
    const kept = load(person, place);
    for (const field of fresh) if (!kept[field.name]) bases.set(field.input, shownIn(field));
    const options = fresh.filter((field) => kept[field.name] && restore(field, kept[field.name]));
    // The fields of a form may appear one after the other, and the server keeps only what was reported last.
    for (const { name } of options) state.reported[name] = kept[name].text;
    if (options.length > 0) report({ ...state.reported });
    show();
  };

  function discard() {
    const kept = load(person, place);
    remove(person, place);
    Object.assign(state, newState(), { stop: state.stop });
    for (const field of fieldsOf(data.prefix)) {
      if (kept[field.name] && !field.option) put(field, bases.get(field.input));
    }
    if (Object.keys(kept).length > 0) report({});
    show();
  }

  const typed = (event) => {
    const field = fieldsOf(data.prefix).find((each) => each.input === event.target);
    if (field && !field.option && !field.day && !field.buttons) save(field);
  };
  // Days and options change without an event of their own, in a calendar or a list beside the field.
  const picked = () =>
    setTimeout(() => {
      for (const field of fieldsOf(data.prefix)) {
        const open = field.option && !field.several && field.input.getAttribute("aria-expanded") === "true";
        if ((field.option || field.day || field.buttons) && !open) save(field);
      }
    });
  // Another tab of the person has sent the text, or goes on with it.
  const stored = (event) => {
    if (event.key !== keyOf(person, place)) return;
    const [before, after] = [event.oldValue, event.newValue].map((text) => JSON.parse(text)?.fields ?? {});
    for (const field of fieldsOf(data.prefix)) {
      const base = bases.get(field.input);
      if (field.option || base === undefined || document.activeElement === field.input) continue;
      const text = after[field.name]?.text ?? base;
      const now = textIn(field);
      if (now === (before[field.name]?.text ?? base) && now !== text) put(field, text);
    }
  };

  const observer = new MutationObserver(look);
  observer.observe(document.body, { childList: true, subtree: true });
  document.addEventListener("input", typed);
  for (const name of ["click", "keyup", "focusout"]) document.addEventListener(name, picked);
  addEventListener("storage", stored);
  look();
  insistLater();

  const stop = () => {
    clearTimeout(state.timer);
    observer.disconnect();
    document.removeEventListener("input", typed);
    for (const name of ["click", "keyup", "focusout"]) document.removeEventListener(name, picked);
    removeEventListener("storage", stored);
    parentElement.querySelector(".tv-draft")?.remove();
  };
  state.stop = stop;
  return stop;
}
