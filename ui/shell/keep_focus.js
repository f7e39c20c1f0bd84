// Keeps the keyboard focus where the work goes on. When the element that has it disappears (its block is drawn anew, its row
// is deleted, a dialog or another page closes), the focus goes to the same button of the same row, or to the element with the
// same key. If there is none, whoever uses the keyboard goes on at the row, at the next one, or at what is nearest. A dialog
// that is opened by keyboard begins at its first field.
const HOME = '[data-testid="stMain"], [data-testid="stSidebar"], [data-testid="stHeader"]';
const LAYER = '[role="dialog"], [data-testid="stDialog"], [data-testid="stPopoverBody"]';
const ROW = "[data-row]";
const FOCUSABLE = "a[href], button:not(:disabled), input, select, textarea, summary, [tabindex='0']";
const FIELD = 'input:not([type="hidden"]), textarea';
const KEY = "st-key-";
const MOMENT = 150; // milliseconds, in which a block is drawn anew
const stops = new WeakMap();
// These outlive the component, which another page draws anew.
let last = null; // what had the focus, outside dialogs
let byKeyboard = false;

const isHome = (element) => element.closest(HOME) !== null && element.closest(LAYER) === null;
const isLost = () => document.activeElement === null || document.activeElement === document.body;
const isRunning = () => {
  const app = document.querySelector('[data-testid="stApp"]');
  return app !== null && app.getAttribute("data-test-script-state") !== "notRunning";
};

const rowsAround = (row) => {
  const all = [...(row.closest(`[class*="${KEY}"]`) ?? document).querySelectorAll(ROW)].map((each) => each.dataset.row);
  const place = all.indexOf(row.dataset.row);
  return [...all.slice(place + 1), ...all.slice(0, place).reverse()];
};

const ancestorsOf = (element) => {
  const ancestors = [];
  for (let each = element.parentElement; each && !each.matches(`${HOME}, .stMainBlockContainer`); each = each.parentElement)
    ancestors.push(each);
  return ancestors;
};

const describe = (element) => {
  const row = element.closest(ROW);
  const box = element.closest(`.stElementContainer[class*="${KEY}"]`);
  return {
    element,
    row: row?.dataset.row ?? "",
    action: element.dataset.action ?? "",
    text: element.textContent,
    neighbours: row ? rowsAround(row) : [],
    key: box ? [...box.classList].find((name) => name.startsWith(KEY)) : "",
    ancestors: ancestorsOf(element),
    page: location.pathname,
  };
};

const rowNamed = (name) => document.querySelector(`[data-row="${CSS.escape(name)}"]`);

const focus = (element) => {
  if (!element || element.closest(LAYER)) return false;
  if (!element.matches(FOCUSABLE)) element.tabIndex = -1;
  element.focus({ preventScroll: true });
  if (document.activeElement !== element) return false;
  if (element.checkVisibility()) element.scrollIntoView({ block: "nearest" });
  return true;
};

// The same thing, drawn anew.
const refocus = ({ element, row, action, text, key }) => {
  if (element.isConnected) return focus(element);
  const again = row && rowNamed(row);
  if (again && element.matches(ROW)) return focus(again);
  if (again && action) return focus(again.querySelector(`[data-action="${CSS.escape(action)}"]`));
  const tag = element.tagName.toLowerCase();
  if (again) return focus([...again.querySelectorAll(tag)].find((each) => each.textContent === text));
  return key !== "" && focus(document.querySelector(`.${CSS.escape(key)} ${tag}`));
};

// What is nearest to the thing that is gone.
const goOn = ({ row, neighbours, ancestors, page }) => {
  if (page === location.pathname) {
    const near = [row, ...neighbours].filter(Boolean).map(rowNamed).find(Boolean);
    if (focus(near)) return;
    const around = ancestors.find((each) => each.isConnected && each.querySelector(FOCUSABLE));
    if (around && [...around.querySelectorAll(FOCUSABLE)].some(focus)) return;
  }
  focus(document.querySelector('[data-testid="stMain"]'));
};

const begun = new WeakSet(); // dialogs whose first field has had the focus
const used = new WeakSet(); // dialogs in which a key was pressed
const openDialog = () => document.querySelector('[data-testid="stDialog"] [role="dialog"], [role="dialog"]:focus');

// Streamlit gives the focus to the dialog itself, or to its first button if the fields are not there yet, and again to the
// dialog if the field that has it is drawn anew.
const begin = () => {
  const dialog = openDialog();
  const field = dialog && !used.has(dialog) && dialog.querySelector(FIELD);
  if (!field) return;
  const active = document.activeElement;
  const isInside = dialog.contains(active) && active !== dialog;
  if (isInside && (begun.has(dialog) || active.matches(FIELD))) return;
  begun.add(dialog);
  field.focus();
};

export default function ({ parentElement }) {
  stops.get(parentElement)?.();
  let layers = 0;
  let timer = null;
  let calm = 0; // moments since a script has run: another page may follow the run that ends

  const later = () => {
    timer = null;
    if (!last || !isLost() || document.querySelector(LAYER)) return;
    calm = isRunning() ? 0 : calm + 1;
    if (calm === 0) timer = setTimeout(later, MOMENT);
    else if (refocus(last) || !byKeyboard) calm = 0;
    else if (calm < 3) timer = setTimeout(later, MOMENT);
    else {
      calm = 0;
      goOn(last);
    }
  };
  const changed = () => {
    const before = layers;
    layers = document.querySelectorAll(LAYER).length;
    if (layers > 0 && byKeyboard) begin();
    if (!last || layers > 0 || !isLost() || (last.element.isConnected && before === 0)) return;
    if (!refocus(last)) timer ??= setTimeout(later, MOMENT);
  };
  const focused = ({ target }) => {
    if (isHome(target)) last = describe(target);
    else if (byKeyboard) begin();
  };
  // A field that loses the focus and stays was left on purpose, as with Escape. While a script runs it may be about to go.
  const left = ({ target, relatedTarget }) => {
    if (relatedTarget || !target.matches(FIELD)) return;
    setTimeout(() => {
      const stays = target.isConnected && !target.disabled && !isRunning();
      if (last?.element === target && stays && isLost()) last = null;
    });
  };
  const pointed = ({ target }) => {
    byKeyboard = false;
    // A click beside everything takes the focus away on purpose.
    if (isHome(target)) last = null;
  };
  const pressed = ({ target }) => {
    byKeyboard = true;
    const dialog = target.closest?.('[role="dialog"]');
    if (dialog) used.add(dialog);
  };

  const observer = new MutationObserver(changed);
  observer.observe(document.body, { childList: true, subtree: true });
  document.addEventListener("focusin", focused);
  document.addEventListener("focusout", left);
  document.addEventListener("pointerdown", pointed, true);
  document.addEventListener("keydown", pressed, true);
  if (isHome(document.activeElement)) last = describe(document.activeElement);
  else if (last && isLost()) timer = setTimeout(later, MOMENT);

  const stop = () => {
    clearTimeout(timer);
    observer.disconnect();
    document.removeEventListener("focusin", focused);
    document.removeEventListener("focusout", left);
    document.removeEventListener("pointerdown", pointed, true);
    document.removeEventListener("keydown", pressed, true);
  };
  stops.set(parentElement, stop);
  return stop;
}
