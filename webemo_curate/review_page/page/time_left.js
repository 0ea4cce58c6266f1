// How long the rest will take, by the pace of the last decisions.

const LATEST = 20;
const LONGEST = 60; // seconds; who looks longer was away

export class Pace {
  constructor() {
    this.took = [];
    this.last = performance.now();
  }

  decided(count) {
    const now = performance.now();
    const seconds = Math.min(LONGEST, (now - this.last) / 1000) / count;
    this.last = now;
    this.took.push(seconds);
    if (this.took.length > LATEST) this.took.shift();
  }

  left(cases) {
    if (!this.took.length || !cases) return "";
    const sorted = [...this.took].sort((a, b) => a - b);
    const seconds = sorted[Math.floor(sorted.length / 2)] * cases;
    if (seconds < 60) return "less than a minute left";
    const minutes = Math.round(seconds / 60);
    return minutes < 90 ? `about ${minutes} min left` : `about ${Math.round(minutes / 60)} h left`;
  }
}
