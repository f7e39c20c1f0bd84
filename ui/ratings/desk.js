// The rating desk's clock and keys. Streamlit's own shortcuts press the buttons; this adds what they lack:
// - a key that is held down judges one task, not every task that follows;
// - K moves to the comment and Escape leaves it, so that a comment needs no mouse.
// - A comment's field that is drawn anew keeps the focus; else the next letter of the comment would be a vote.
// `data.left` is the time left for the task in milliseconds, null without a task; `data.all` is the whole lease. The clock is
// marked as ready when votes for its task count, after `data.unready`.
const states = new WeakMap();
// The comment's field while it has the focus, and after it was taken out of the page with it.
let commenting = null;
// Since when letters wait for the comment's field, and for how many milliseconds they do.
let waitingSince = null;
const LONGEST_WAIT = 2000;

const isTyped = (element) =>
  element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName));
const asClock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

export default function ({ data, parentElement }) {
  states.get(parentElement)?.();
  const end = data.left === null ? null : performance.now() + data.left;
  const readyAt = performance.now() + (data.unready ?? 0);
  const comment = () => document.querySelector(".st-key-rating_comment_box textarea");

  const showTime = () => {
    const clock = document.querySelector(".tv-clock");
    if (!clock || end === null) return;
    const seconds = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    clock.textContent = seconds
      ? `${asClock(seconds)} left`
      : "Your time is over. Your vote still counts unless somebody else has taken the task.";
    clock.classList.toggle("low", seconds * 1000 < data.all / 5);
    clock.toggleAttribute("data-ready", performance.now() >= readyAt);
  };
  const press = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyped(event.target)) {
      if (event.key === "Escape" && event.target === comment()) {
        event.target.blur();
        commenting = null;
      }
      return;
    }
    if (waitsForField()) {
      // The letter goes to the field, and to no shortcut. Without the field it goes nowhere.
      event.stopImmediatePropagation();
      if (comment()) comment().focus();
      else event.preventDefault();
      return;
    }
    if (event.repeat && /^[a-z]$/i.test(event.key)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (event.key.toLowerCase() === "k" && end !== null) {
      event.preventDefault();
      if (comment()) comment().focus();
      else waitingSince = performance.now();
    }
  };

  const waitsForField = () => {
    if (commenting && !commenting.isConnected) waitingSince ??= performance.now();
    if (waitingSince === null) return false;
    if (comment() || performance.now() - waitingSince < LONGEST_WAIT) return true;
    commenting = waitingSince = null;
    return false;
  };

  const noteFocus = (event) => {
    commenting = event.target === comment() ? event.target : null;
    waitingSince = null;
  };
  // Who leaves the field goes somewhere: to another element, or to where they click.
  const noteLeaving = (event) => {
    if (event.target !== comment()) commenting = null;
  };
  const noteBlur = (event) => {
    if (event.relatedTarget) commenting = null;
    // Browsers differ in whether an element loses the focus before or after it is taken out of the page.
    setTimeout(() => {
      if (event.target === commenting && commenting.isConnected) commenting = null;
    });
  };

  showTime();
  const timer = setInterval(showTime, 500);
  const ready = setTimeout(showTime, data.unready ?? 0);
  window.addEventListener("keydown", press, true);
  window.addEventListener("focusin", noteFocus, true);
  window.addEventListener("focusout", noteBlur, true);
  window.addEventListener("pointerdown", noteLeaving, true);
  const stop = () => {
    clearInterval(timer);
    clearTimeout(ready);
    window.removeEventListener("keydown", press, true);
    window.removeEventListener("focusin", noteFocus, true);
    window.removeEventListener("focusout", noteBlur, true);
    window.removeEventListener("pointerdown", noteLeaving, true);
  };
  states.set(parentElement, stop);
  return stop;
}
