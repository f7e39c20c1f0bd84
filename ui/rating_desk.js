// The rating desk's clock and keys. Streamlit's own shortcuts press the buttons; what they leave open is here:
// - a key that is held down judges once, and not every task that follows;
// - K goes to the comment, Escape leaves it, so that a comment needs no mouse.
// `data.left` is the time that is left for the task, in milliseconds, null without one; `data.all` the whole of it.
const states = new WeakMap();

const isTyped = (element) =>
  element instanceof HTMLElement && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName));
const inWords = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

export default function ({ data, parentElement }) {
  states.get(parentElement)?.();
  const end = data.left === null ? null : performance.now() + data.left;
  const comment = () => document.querySelector(".st-key-rating_comment_box textarea");

  const tell = () => {
    const clock = document.querySelector(".tv-clock");
    if (!clock || end === null) return;
    const seconds = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    clock.textContent = seconds
      ? `${inWords(seconds)} left`
      : "Your time is over: it counts while nobody else has the place.";
    clock.classList.toggle("low", seconds * 1000 < data.all / 5);
  };
  const press = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyped(event.target)) {
      if (event.key === "Escape" && event.target === comment()) event.target.blur();
      return;
    }
    if (event.repeat && /^[a-z]$/i.test(event.key)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (event.key.toLowerCase() === "k" && comment()) {
      event.preventDefault();
      comment().focus();
    }
  };

  tell();
  const timer = setInterval(tell, 500);
  window.addEventListener("keydown", press, true);
  const stop = () => {
    clearInterval(timer);
    window.removeEventListener("keydown", press, true);
  };
  states.set(parentElement, stop);
  return stop;
}
