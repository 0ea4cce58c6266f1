// The cases around the present one, with their pictures decoded before they are asked for.
import * as api from "./api.js";

const AHEAD = 8;
const BEHIND = 2;
const BATCH = 60;

export class Ahead {
  constructor() {
    this.known = new Map(); // number -> details
    this.asking = new Map(); // number -> promise of its batch
    this.ready = new Map(); // number -> promise of its pictures
  }

  // Details of some cases, asked for together.
  async details(numbers) {
    const missing = numbers.filter((number) => !this.known.has(number) && !this.asking.has(number));
    if (missing.length) {
      const batch = api.cases(missing).then(
        (found) => found.forEach((each) => this.known.set(each.number, each)),
      ).finally(() => missing.forEach((number) => this.asking.delete(number)));
      missing.forEach((number) => this.asking.set(number, batch));
    }
    await Promise.all(numbers.map((number) => this.asking.get(number)));
    return numbers.map((number) => this.known.get(number));
  }

  // One case with its pictures, decoded.
  async shown(number) {
    const [details] = await this.details([number]);
    if (!this.ready.has(number)) this.ready.set(number, pictures(details));
    return { details, pictures: await this.ready.get(number) };
  }

  // Bring what comes next, and forget what lies far behind.
  async look(numbers, position) {
    const batch = numbers.slice(position, position + BATCH);
    await this.details(batch);
    const near = numbers.slice(Math.max(0, position - BEHIND), position + AHEAD + 1);
    for (const number of this.ready.keys()) if (!near.includes(number)) this.ready.delete(number);
    for (const number of near) await this.shown(number);
  }
}

function pictures(details) {
  return Promise.all(details.pictures.map((each) => decoded(each, details.frame)));
}

// An image element that paints at once; null if the picture cannot be shown.
async function decoded({ sha256, width, height }, frame) {
  const image = new Image(width || undefined, height || undefined);
  image.src = api.pictureAddress(sha256, "fit", frame);
  image.alt = `Picture ${sha256.slice(0, 8)}`;
  try {
    await image.decode();
    return image;
  } catch {
    return null;
  }
}
