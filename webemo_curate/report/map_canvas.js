// The map's canvas: all points in one image of pixels, small pictures over it where there is room.
const FAR = 65535; // a place of 1
const ROOM = 46; // pixels of the page that a small picture takes
const FRAME = 2;
const ZOOMS = { least: 0.5, most: 400 };

const MARGIN = 0.9; // what the whole map takes of the canvas

function extent(places, axis) {
  let [low, high] = [FAR, 0];
  for (let at = axis; at < places.length; at += 2) {
    low = Math.min(low, places[at]);
    high = Math.max(high, places[at]);
  }
  return (high - low) / FAR;
}

class MapCanvas {
  constructor(canvas, data) {
    Object.assign(this, { canvas, ...data });
    this.pen = canvas.getContext("2d");
    this.hidden = new Set();
    this.chosen = -1;
    this.small = true;
    this.view = { x: 0.5, y: 0.5, zoom: 1 };
    this.waiting = false;
    const least = 0.01; // one point has no extent
    this.extents = [0, 1].map((axis) => Math.max(least, extent(this.places, axis)));
  }

  get sharp() {
    return window.devicePixelRatio || 1;
  }

  get scale() {
    const { canvas, extents } = this;
    const whole = Math.min(canvas.width / extents[0], canvas.height / extents[1]);
    return whole * MARGIN * this.view.zoom;
  }

  // Where the corner of the map lies on the canvas, and what a step of a place is there.
  get frame() {
    const unit = this.scale / FAR;
    const { width, height } = this.canvas;
    return {
      unit,
      left: width / 2 - this.view.x * this.scale,
      top: height / 2 - this.view.y * this.scale,
    };
  }

  color(coloring) {
    this.values = coloring.values;
    this.palette = paletteOf(coloring.names);
    this.hidden.clear();
    this.draw();
  }

  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.paint();
    });
  }

  paint() {
    this.fit();
    this.paintPoints();
    if (this.small) this.paintSmall();
    if (this.chosen >= 0) this.mark();
  }

  fit() {
    const { canvas } = this;
    const sides = [canvas.clientWidth, canvas.clientHeight];
    const [width, height] = sides.map((side) => Math.max(1, Math.round(side * this.sharp)));
    if (this.image && canvas.width === width && canvas.height === height) return;
    Object.assign(canvas, { width, height });
    this.image = this.pen.createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  paintPoints() {
    const { places, values, pixels } = this;
    const { width, height } = this.canvas;
    const { left, top, unit } = this.frame;
    const inks = this.inks();
    const thick = this.thickness();
    pixels.fill(0);
    for (let point = 0; point < values.length; point += 1) {
      const ink = inks[values[point]];
      const x = Math.floor(left + places[2 * point] * unit);
      const y = Math.floor(top + places[2 * point + 1] * unit);
      if (!ink || x < 0 || y < 0 || x + thick > width || y + thick > height) continue;
      const end = (y + thick) * width + x;
      for (let row = y * width + x; row < end; row += width) pixels.fill(ink, row, row + thick);
    }
    this.pen.putImageData(this.image, 0, 0);
  }

  inks() {
    const packed = ([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r;
    const of = (color, value) => (this.hidden.has(value) ? 0 : packed(color));
    return new Uint32Array(this.palette.map(of));
  }

  thickness() {
    const { zoom } = this.view;
    return (zoom > 4 ? 4 : zoom > 1.5 ? 3 : 2) * Math.round(this.sharp);
  }

  // Of the pictures that want one spot, the one that stands for the larger part of the map.
  paintSmall() {
    const { left, top, unit } = this.frame;
    const room = ROOM * this.sharp;
    const taken = new Set();
    this.tiles.forEach((point, number) => {
      const x = left + this.places[2 * point] * unit;
      const y = top + this.places[2 * point + 1] * unit;
      const inside = x >= 0 && y >= 0 && x <= this.canvas.width && y <= this.canvas.height;
      const spot = [Math.floor(x / room), Math.floor(y / room)];
      if (!inside || this.hidden.has(this.values[point]) || taken.has(String(spot))) return;
      taken.add(String(spot));
      this.paintOne(number, spot[0] * room, spot[1] * room);
    });
  }

  paintOne(number, x, y) {
    const { side, across, sharp } = this;
    const [sheet, place] = [Math.floor(number / across ** 2), number % across ** 2];
    const [fromX, fromY] = [(place % across) * side, Math.floor(place / across) * side];
    const [frame, size] = [FRAME * sharp, side * sharp];
    this.pen.fillStyle = `rgb(${this.palette[this.values[this.tiles[number]]]})`;
    this.pen.fillRect(x, y, size + 2 * frame, size + 2 * frame);
    const aim = [x + frame, y + frame, size, size];
    this.pen.drawImage(this.sheets[sheet], fromX, fromY, side, side, ...aim);
  }

  mark() {
    const { left, top, unit } = this.frame;
    const [x, y] = [this.places[2 * this.chosen], this.places[2 * this.chosen + 1]];
    this.pen.strokeStyle = getComputedStyle(this.canvas).color;
    this.pen.lineWidth = 2 * this.sharp;
    this.pen.beginPath();
    this.pen.arc(left + x * unit, top + y * unit, 4 * this.pen.lineWidth, 0, 7);
    this.pen.stroke();
  }

  zoomAt(factor, x, y) {
    const before = this.scale;
    const zoom = this.view.zoom * factor;
    this.view.zoom = Math.min(ZOOMS.most, Math.max(ZOOMS.least, zoom));
    const change = 1 / before - 1 / this.scale;
    this.view.x += (x - this.canvas.width / 2) * change;
    this.view.y += (y - this.canvas.height / 2) * change;
    this.draw();
  }

  zoom(factor) {
    this.zoomAt(factor, this.canvas.width / 2, this.canvas.height / 2);
  }

  move(dx, dy) {
    const within = (place) => Math.min(1, Math.max(0, place));
    this.view.x = within(this.view.x - dx / this.scale);
    this.view.y = within(this.view.y - dy / this.scale);
    this.draw();
  }

  showAll() {
    this.view = { x: 0.5, y: 0.5, zoom: 1 };
    this.draw();
  }

  // The shown point nearest to a spot of the canvas, at most so many of its pixels away.
  choose(x, y, reach) {
    const { left, top, unit } = this.frame;
    const [atX, atY] = [(x - left) / unit, (y - top) / unit];
    let least = (reach / unit) ** 2;
    this.chosen = -1;
    for (let point = 0; point < this.values.length; point += 1) {
      if (this.hidden.has(this.values[point])) continue;
      const [dx, dy] = [this.places[2 * point] - atX, this.places[2 * point + 1] - atY];
      if (dx * dx + dy * dy < least) {
        least = dx * dx + dy * dy;
        this.chosen = point;
      }
    }
    this.draw();
    return this.chosen;
  }
}
