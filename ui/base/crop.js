// Lets a person choose a square part of a picture: they drag it or move it with the arrow keys, and zoom with the slider.
// It reports `crop`: the center of the part as shares of width and height, and its side as a share of the shorter side.
const STEP = 0.02; // of the frame, for an arrow key
const MOST = 4; // times closer
const states = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const known = states.get(parentElement);
  if (known?.picture === data.picture) return known.stop;
  known?.stop();

  const frame = parentElement.querySelector(".frame");
  frame.classList.toggle("round", data.round);
  const image = parentElement.querySelector("img");
  const zoom = parentElement.querySelector("input");
  const ratio = data.width / data.height;
  // Width and height of the picture in frames, at zoom 1.
  const [wide, high] = ratio > 1 ? [ratio, 1] : [1, 1 / ratio];
  const part = { x: 0.5, y: 0.5, zoom: 1 };
  image.src = data.picture;
  zoom.max = String(MOST);
  zoom.value = "1";

  const clamp = (value, most) => Math.min(Math.max(value, 0.5 / most), 1 - 0.5 / most);
  const draw = () => {
    part.x = clamp(part.x, wide * part.zoom);
    part.y = clamp(part.y, high * part.zoom);
    image.style.width = `${100 * wide * part.zoom}%`;
    image.style.height = `${100 * high * part.zoom}%`;
    image.style.left = `${100 * (0.5 - part.x * wide * part.zoom)}%`;
    image.style.top = `${100 * (0.5 - part.y * high * part.zoom)}%`;
  };
  const report = () => setStateValue("crop", { picture: data.id, x: part.x, y: part.y, share: 1 / part.zoom });
  const move = (x, y) => {
    part.x -= x / (wide * part.zoom);
    part.y -= y / (high * part.zoom);
    draw();
  };

  let from = null;
  frame.onpointerdown = (event) => {
    if (event.button !== 0 || from) return;
    from = { id: event.pointerId, x: event.clientX, y: event.clientY };
    frame.setPointerCapture(event.pointerId);
  };
  frame.onpointermove = (event) => {
    if (event.pointerId !== from?.id) return;
    const side = frame.clientWidth;
    move((event.clientX - from.x) / side, (event.clientY - from.y) / side);
    from = { ...from, x: event.clientX, y: event.clientY };
  };
  frame.onpointerup = frame.onpointercancel = (event) => {
    if (event.pointerId !== from?.id) return;
    from = null;
    report();
  };
  const arrows = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
  frame.onkeydown = (event) => {
    const [x, y] = arrows[event.key] ?? [];
    if (x === undefined) return;
    event.preventDefault();
    move(x, y);
  };
  frame.onkeyup = (event) => event.key in arrows && report();
  zoom.oninput = () => {
    part.zoom = Number(zoom.value);
    draw();
  };
  zoom.onchange = report;
  draw();

  const stop = () => {
    states.delete(parentElement);
  };
  states.set(parentElement, { picture: data.picture, stop });
  return stop;
}
