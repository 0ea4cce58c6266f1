// What moves the map, what colors it, and what is said of a point.
const REACH = 14; // pixels of the page from a click to the point that it means
const CLICK = 4; // pixels that a click may wander

function mapData(canvas) {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const colorings = [...document.querySelectorAll(".map-coloring")].map(({ dataset }) => ({
    name: dataset.name,
    names: JSON.parse(dataset.names),
    values: bytes(dataset.values),
  }));
  return {
    places: new Uint16Array(bytes(canvas.dataset.places).buffer),
    hashes: bytes(canvas.dataset.hashes),
    tiles: JSON.parse(canvas.dataset.tiles),
    side: Number(canvas.dataset.side),
    across: Number(canvas.dataset.across),
    sheets: [...document.querySelectorAll(".map-sheet")],
    colorings,
  };
}

function keyEntry(palette, name, value) {
  const swatch = document.createElement("span");
  swatch.className = "swatch";
  swatch.style.background = `rgb(${palette[value]})`;
  return [swatch, ` ${name}`];
}

function keyButton(map, name, value) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-pressed", "true");
  button.append(...keyEntry(map.palette, name, value));
  button.addEventListener("click", () => {
    if (!map.hidden.delete(value)) map.hidden.add(value);
    button.setAttribute("aria-pressed", String(!map.hidden.has(value)));
    map.draw();
  });
  return [button];
}

function showKey(map, { names, values }) {
  const sums = new Uint32Array(256);
  for (const value of values) sums[value] += 1;
  const counted = (name, value) =>
    keyButton(map, `${name} (${sums[value].toLocaleString("en")})`, value);
  const steps = [["0", 0], ["0.5", SCORE_STEPS / 2], ["1", SCORE_STEPS]];
  const rows = names.length
    ? names.map(counted)
    : steps.map(([name, value]) => keyEntry(map.palette, name, value));
  if (sums[NO_VALUE]) rows.push(counted("none", NO_VALUE));
  const items = rows.map((row) => {
    const item = document.createElement("li");
    item.append(...row);
    return item;
  });
  document.getElementById("map-key").replaceChildren(...items);
}

function wordsOn(map, point) {
  if (point < 0) return "No point is chosen.";
  const own = [...map.hashes.subarray(4 * point, 4 * point + 4)];
  const hash = own.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const said = map.colorings.map(({ name, names, values }) => {
    const value = values[point];
    if (value === NO_VALUE) return `${name}: none`;
    return `${name}: ${names.length ? names[value] : (value / SCORE_STEPS).toFixed(2)}`;
  });
  const command = map.canvas.dataset.similar.replace("HASH", hash);
  return `${hash}; ${said.join("; ")}. The pictures most like it: ${command}`;
}

function spotOf(canvas, event) {
  const box = canvas.getBoundingClientRect();
  const sharp = canvas.width / box.width;
  return [(event.clientX - box.left) * sharp, (event.clientY - box.top) * sharp];
}

// One finger or the mouse drags, two fingers zoom, and what stays in its place is a click.
class Fingers {
  constructor(map, clicked) {
    Object.assign(this, { map, clicked, down: new Map(), gap: 0, moved: 0 });
    const { canvas } = map;
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    canvas.addEventListener("pointerup", (event) => this.lift(event));
    canvas.addEventListener("pointercancel", (event) => this.down.delete(event.pointerId));
  }

  press(event) {
    this.map.canvas.setPointerCapture(event.pointerId);
    this.down.set(event.pointerId, spotOf(this.map.canvas, event));
    this.moved = this.down.size > 1 ? Infinity : 0;
    this.gap = 0;
  }

  drag(event) {
    const from = this.down.get(event.pointerId);
    if (!from) return;
    const to = spotOf(this.map.canvas, event);
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    this.down.set(event.pointerId, to);
    this.moved += Math.hypot(dx, dy);
    this.map.move(dx / this.down.size, dy / this.down.size);
    if (this.down.size === 2) this.spread(...this.down.values());
  }

  spread(one, other) {
    const gap = Math.hypot(one[0] - other[0], one[1] - other[1]);
    const middle = [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2];
    if (this.gap) this.map.zoomAt(gap / this.gap, ...middle);
    this.gap = gap;
  }

  lift(event) {
    const still = this.down.size === 1 && this.moved < CLICK * this.map.sharp;
    this.down.delete(event.pointerId);
    if (still) this.clicked(...spotOf(this.map.canvas, event), REACH * this.map.sharp);
  }
}

function takeKeys(map, clicked) {
  map.canvas.addEventListener("keydown", (event) => {
    const { width, height } = map.canvas;
    const step = 0.1 * height;
    const actions = {
      "+": () => map.zoom(1.5),
      "=": () => map.zoom(1.5),
      "-": () => map.zoom(1 / 1.5),
      0: () => map.showAll(),
      ArrowLeft: () => map.move(step, 0),
      ArrowRight: () => map.move(-step, 0),
      ArrowUp: () => map.move(0, step),
      ArrowDown: () => map.move(0, -step),
      Enter: () => clicked(width / 2, height / 2, Infinity),
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in actions)) return;
    event.preventDefault();
    actions[event.key]();
  });
}

function takeWheelAndButtons(map) {
  const turned = (event) => {
    event.preventDefault();
    map.zoomAt(Math.exp(-event.deltaY / 400), ...spotOf(map.canvas, event));
  };
  map.canvas.addEventListener("wheel", turned, { passive: false });
  for (const button of document.querySelectorAll("[data-zoom]")) {
    const factor = Number(button.dataset.zoom);
    button.addEventListener("click", () => (factor ? map.zoom(factor) : map.showAll()));
  }
}

function startMap(canvas) {
  const map = new MapCanvas(canvas, mapData(canvas));
  const says = document.getElementById("map-says");
  const by = document.getElementById("map-by");
  const small = document.getElementById("map-small");
  const clicked = (...spot) => {
    says.textContent = wordsOn(map, map.choose(...spot));
  };
  const color = () => {
    const coloring = map.colorings[Number(by.value)];
    map.color(coloring);
    showKey(map, coloring);
  };
  by.addEventListener("change", color);
  small.addEventListener("change", () => {
    map.small = small.checked;
    map.draw();
  });
  new Fingers(map, clicked);
  takeKeys(map, clicked);
  takeWheelAndButtons(map);
  new ResizeObserver(() => map.draw()).observe(canvas);
  window.addEventListener("beforeprint", () => map.paint());
  Promise.allSettled(map.sheets.map((sheet) => sheet.decode())).then(() => map.draw());
  color();
}

const mapCanvas = document.getElementById("map-canvas");
if (mapCanvas) startMap(mapCanvas);
