// Keeps the sign-in over a reload in one cookie. `data.value` is the refresh token to keep; `data.dead` one to
// forget, left alone when another tab has signed in with a new one meanwhile.
const kept = new WeakMap();

export default function ({ data, parentElement }) {
  const write = (value, age) => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${data.name}=${encodeURIComponent(value)}; Path=/; Max-Age=${age}; SameSite=Strict${secure}`;
  };
  const current = document.cookie
    .split("; ")
    .filter((pair) => pair.startsWith(`${data.name}=`))
    .map((pair) => decodeURIComponent(pair.slice(data.name.length + 1)))[0];

  if (data.value && kept.get(parentElement) !== data.value) {
    kept.set(parentElement, data.value);
    write(data.value, data.max_age);
  } else if (data.dead && current === data.dead) {
    write("", 0);
  }
}
