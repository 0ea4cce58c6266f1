// Colors of the map's points: hues apart for names, dark to light for scores, gray for no value.
const NO_VALUE = 255;
const SCORE_STEPS = 254;
const GRAY = [150, 150, 150];
const LADDER = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
const GOLDEN = 0.618034; // of a turn: hues that follow each other are far apart, however many

function hueColor(place, of) {
  const turn = (place * 360 * GOLDEN) % 360;
  const light = of > 12 && place % 2 ? 0.68 : 0.5;
  const strength = 0.72 * Math.min(light, 1 - light);
  const channel = (shift) => {
    const at = (shift + turn / 30) % 12;
    return Math.round(255 * (light - strength * Math.max(-1, Math.min(at - 3, 9 - at, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

function scoreColor(share) {
  const at = Math.min(share * (LADDER.length - 1), LADDER.length - 1.0001);
  const low = Math.floor(at);
  return LADDER[low].map((c, i) => Math.round(c + (LADDER[low + 1][i] - c) * (at - low)));
}

function paletteOf(names) {
  return Array.from({ length: 256 }, (_, value) => {
    if (value === NO_VALUE) return GRAY;
    const share = Math.min(1, value / SCORE_STEPS);
    return names.length ? hueColor(value, names.length) : scoreColor(share);
  });
}
