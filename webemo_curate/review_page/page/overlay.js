// A pair laid one over the other: wiped by a slider, or blinking.
import { laidAddress } from "./api.js";
import { byId, made, sized } from "./elements.js";

const PERIOD = 700;
const LONGEST = 5000; // what blinks longer must stop by itself

export class Overlay {
  constructor() {
    this.mode = "beside";
    for (const mode of ["beside", "wipe", "blink"]) {
      byId(mode).addEventListener("click", () => this.choose(mode));
    }
    byId("wiped").addEventListener("input", () => this.wipe());
  }

  // Offer a pair; anything else lies side by side.
  offer(images, pictures) {
    this.stop();
    this.pictures = pictures;
    this.images = images.length === 2 && images.every(Boolean) ? images : null;
    this.mode = "beside";
    this.laid = null;
    this.press();
  }

  toggle(mode) {
    if (this.images) this.choose(this.mode === mode ? "beside" : mode);
  }

  choose(mode) {
    if (!this.images) return;
    this.stop();
    this.mode = mode;
    this.press();
    const place = byId("pictures");
    this.beside ??= [...place.childNodes];
    if (mode === "beside") place.replaceChildren(...this.beside);
    else place.replaceChildren(this.lay());
    if (mode === "beside") this.beside = null;
    if (mode === "wipe") this.wipe();
    if (mode === "blink") this.blink();
  }

  // The second is moved to where it lies on the first; until then, or if it cannot be, all of it.
  lay() {
    const [first, second] = this.images.map((image) => image.cloneNode());
    const [under, over] = this.pictures.map(({ sha256 }) => sha256);
    const moved = new Image();
    moved.src = laidAddress(under, over);
    moved.decode().then(() => { second.src = moved.src; }).catch(() => {});
    this.laid = made("div", { className: "laid" }, first, second);
    sized(this.laid, this.pictures[0], "44rem", "100%");
    return this.laid;
  }

  wipe() {
    const [, second] = this.laid.children;
    second.style.clipPath = `inset(0 0 0 ${byId("wiped").value}%)`;
  }

  blink() {
    const laid = this.laid;
    this.ticking = setInterval(() => laid.classList.toggle("blinked"), PERIOD);
    this.ending = setTimeout(() => this.stop(), LONGEST);
  }

  stop() {
    clearInterval(this.ticking);
    clearTimeout(this.ending);
    if (this.mode === "beside") this.beside = null;
  }

  press() {
    byId("overlay").hidden = !this.images;
    byId("wipe-place").hidden = this.mode !== "wipe";
    for (const mode of ["beside", "wipe", "blink"]) {
      byId(mode).setAttribute("aria-pressed", String(mode === this.mode));
    }
  }
}
