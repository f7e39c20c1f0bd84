// Keeps the sign-in over a reload in one cookie, to which every process of the app writes that serves this browser:
// `token~session~turn` (db/kept.py). `data.value` is what to keep; `data.dead` what to forget, left alone when another
// tab has signed in anew meanwhile, or another process has renewed it. What is newer than `data.value`, written for
// another process, is told to this one; and so is whatever there is, once for each new `data.ask`.
const LOOK_EVERY = 2000;
const states = new WeakMap();

const read = (name) =>
  document.cookie
    .split("; ")
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => decodeURIComponent(pair.slice(name.length + 1)))[0] ?? "";

const write = (name, value, age) => {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${encodeURIComponent(value)}; Path=/; Max-Age=${age}; SameSite=Strict${secure}`;
};

const sessionOf = (text) => text.split("~")[1] ?? "";
const turnOf = (text) => Number(text.split("~")[2] ?? 0);
const newer = (one, other) =>
  sessionOf(one) !== "" && sessionOf(one) === sessionOf(other) && turnOf(one) > turnOf(other);

export default function ({ data, parentElement, setTriggerValue }) {
  const state = states.get(parentElement) ?? { kept: "", told: "", asked: "" };
  states.set(parentElement, state);
  clearInterval(state.timer);
  const current = read(data.name);

  if (data.value && state.kept !== data.value) {
    state.kept = data.value;
    if (!newer(current, data.value)) write(data.name, data.value, data.max_age);
  } else if (data.dead && (current === data.dead || newer(data.dead, current))) {
    write(data.name, "", 0);
  }

  const tell = (text) => {
    state.told = text;
    setTriggerValue("kept", { text, nonce: `${Date.now()}-${Math.random()}` });
  };
  const look = () => {
    const there = read(data.name);
    if (newer(there, data.value) && there !== state.told) tell(there);
  };
  if (data.ask && data.ask !== state.asked) {
    state.asked = data.ask;
    tell(read(data.name));
  }
  if (!data.value) return undefined;
  look();
  state.timer = setInterval(look, LOOK_EVERY);
  return () => clearInterval(state.timer);
}
