// Keeps the sign-in in one cookie, `token~session~rotation` (livetables/auth/cookie.py), so that it survives a reload. Every
// process of the app that serves this browser writes the same cookie.
// - `data.value` is the cookie to write. A newer one, which another process wrote, is reported instead of replaced.
//   So is one of another sign-in, which somebody else has in another tab: it stays until they sign out.
// - `data.ended` is the cookie of a sign-in that has ended. It is cleared, unless a tab has signed in again or another
//   process has rotated the token since.
// - `data.others` is the newest cookie of the other sign-in, which may have no tab any more that writes it.
// - Each new `data.request` has the cookie reported, whatever it holds.
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
const rotationOf = (text) => Number(text.split("~")[2] ?? 0);
const newer = (one, other) =>
  sessionOf(one) !== "" && sessionOf(one) === sessionOf(other) && rotationOf(one) > rotationOf(other);

export default function ({ data, parentElement, setTriggerValue }) {
  const state = states.get(parentElement) ?? { written: "", reported: "", request: "", session: "", other: "" };
  states.set(parentElement, state);
  clearInterval(state.timer);

  const report = (trigger, text) => setTriggerValue(trigger, { text, nonce: `${Date.now()}-${Math.random()}` });
  const reportStored = (text) => {
    state.reported = text;
    report("stored", text);
  };
  const reportOther = (text) => {
    if (sessionOf(state.other) === sessionOf(text) && (state.other === "") === (text === "")) return;
    state.other = text;
    report("other", text);
  };
  const hasEnded = (text) => data.ended !== "" && (text === data.ended || newer(data.ended, text));
  const isOthers = (text) => text !== "" && sessionOf(text) !== sessionOf(data.value) && !hasEnded(text);

  const look = () => {
    const stored = read(data.name);
    if (isOthers(stored)) {
      if (newer(data.others, stored)) write(data.name, data.others, data.max_age);
      reportOther(stored);
      return;
    }
    // Written once, and again when the other sign-in is gone. A cookie that the browser has lost otherwise stays lost.
    if (state.written !== data.value || state.other !== "") {
      state.written = data.value;
      if (!newer(stored, data.value)) write(data.name, data.value, data.max_age);
      reportOther("");
    }
    if (newer(stored, data.value) && stored !== state.reported) reportStored(stored);
  };

  if (data.request && data.request !== state.request) {
    state.request = data.request;
    const stored = read(data.name);
    reportStored(isOthers(stored) ? "" : stored);
  }
  if (!data.value) {
    if (hasEnded(read(data.name))) write(data.name, "", 0);
    state.other = "";
    return undefined;
  }
  if (state.session !== sessionOf(data.value)) state.other = "";
  state.session = sessionOf(data.value);
  look();
  state.timer = setInterval(look, LOOK_EVERY);
  return () => clearInterval(state.timer);
}
