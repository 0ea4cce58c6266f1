// The page: which case is shown, and what a key or a button does with it.
import { Ahead } from "./ahead.js";
import * as api from "./api.js";
import { byId, made } from "./elements.js";
import { Grid, PAGE } from "./grid.js";
import { Overlay } from "./overlay.js";
import * as single from "./single.js";
import { Pace } from "./time_left.js";

const state = { numbers: [], position: 0, marks: new Map(), revision: 0, grid: false, busy: false };
const ahead = new Ahead();
const overlay = new Overlay();
const pace = new Pace();
const grid = new Grid((answer) => decide(answer));
let current = null; // details of the case that is shown

// One thing after another: a key that comes while a decision is written is for no picture yet.
async function once(action) {
  if (state.busy) return;
  state.busy = true;
  try {
    await action();
    byId("trouble").hidden = true;
  } catch (error) {
    trouble(error);
  } finally {
    state.busy = false;
    byId("work").dataset.ready = String(Number(byId("work").dataset.ready ?? 0) + 1);
  }
}

function trouble(error) {
  if (!(error instanceof api.Refused)) throw error;
  byId("trouble").textContent = error.message;
  byId("trouble").hidden = false;
}

async function begin() {
  const filter = Object.fromEntries(["kind", "rule", "state"].map((id) => [id, byId(id).value]));
  const view = await api.view(filter);
  state.marks.clear();
  state.numbers = view.numbers;
  state.position = 0;
  byId("rule-label").hidden = view.blind;
  take(view);
  for (const option of byId("kind").options) {
    if (option.value) option.textContent = `${option.value} (${view.kinds[option.value]})`;
  }
  await show();
}

function take({ marks, revision }) {
  for (const [number, mine, others] of marks) state.marks.set(number, { mine, others });
  state.revision = revision;
}

async function show() {
  count();
  byId("grid").hidden = !state.grid;
  byId("single").hidden = state.grid || !state.numbers.length;
  if (!state.numbers.length) {
    say("No case is left here. Choose others above, or press Done.");
    byId("counter").textContent = "No case is left here: choose others, or press Done.";
    grid.show([], state.marks);
    current = null;
  } else if (state.grid) {
    await showGrid();
  } else {
    await showOne();
  }
}

async function showOne() {
  const number = state.numbers[state.position];
  const { details, pictures } = await ahead.shown(number);
  const mark = state.marks.get(number) ?? {};
  current = details;
  single.showPictures(details, pictures);
  overlay.offer(details.kind === "duplicate" ? pictures : [], details.pictures);
  byId("question").textContent = single.question(details);
  single.showAnswers(byId("answers"), details, mark.mine, (answer) => decide(answer));
  single.showFacts(details);
  byId("mark").textContent = decidedWords(mark);
  say(`Case ${state.position + 1} of ${state.numbers.length}. ${single.question(details)} ${single.said(details)}`);
  painted();
  ahead.look(state.numbers, state.position).catch(() => {}); // asked again when it is shown
}

async function showGrid() {
  const start = state.position - (state.position % PAGE);
  grid.show(await ahead.details(state.numbers.slice(start, start + PAGE)), state.marks);
  current = null;
  painted();
}

function decidedWords({ mine, others }) {
  const by = others ? `Decided by ${others} other${others > 1 ? "s" : ""}.` : "";
  return [mine ? `You decided: ${mine}.` : "", by].filter(Boolean).join(" ");
}

// Measure from the key to the picture, after the browser has painted it.
function painted() {
  if (!performance.getEntriesByName("key").length) return;
  requestAnimationFrame(() => setTimeout(() => {
    performance.measure("key-to-picture", "key");
    performance.clearMarks("key");
  }));
}

function count() {
  const all = state.numbers.length;
  const decided = state.numbers.filter((number) => state.marks.get(number)?.mine).length;
  const left = pace.left(all - decided);
  byId("counter").textContent =
    `Case ${Math.min(state.position + 1, all)} of ${all}, ${decided} decided${left ? `, ${left}` : ""}`;
  byId("progress").max = Math.max(1, all);
  byId("progress").value = decided;
}

const say = (words) => { byId("said").textContent = words; };

function decide(answer) {
  return once(async () => {
    const picked = state.grid ? grid.picked() : [current];
    if (!picked.length || !picked[0]) return;
    const offered = state.grid ? grid.offered : current;
    if (!offered.answers.includes(answer)) return;
    const numbers = picked.map(({ number }) => number);
    take(await api.decide(numbers, answer, state.revision));
    pace.decided(numbers.length);
    if (!state.grid) state.position = Math.min(state.position + 1, state.numbers.length - 1);
    else if (pageDecided()) turn(1);
    await show();
    focusWork();
  });
}

function pageDecided() {
  return grid.cases.every(({ number }) => state.marks.get(number)?.mine);
}

function undo() {
  return once(async () => {
    const answer = await api.undo(state.revision);
    take(answer);
    const [number] = answer.undone;
    if (number === undefined) {
      say("There is nothing to undo.");
      return;
    }
    if (!state.numbers.includes(number)) state.numbers.splice(state.position, 0, number);
    state.position = state.numbers.indexOf(number);
    await show();
    focusWork();
  });
}

function turn(step) {
  const by = state.grid ? step * PAGE : step;
  state.position = Math.max(0, Math.min(state.numbers.length - 1, state.position + by));
}

const go = (step) => once(async () => {
  turn(step);
  await show();
});

function toggleGrid() {
  return once(async () => {
    state.grid = !state.grid;
    byId("show-grid").setAttribute("aria-pressed", String(state.grid));
    await show();
    if (state.grid) byId("cells").children[grid.focused]?.focus();
    else focusWork();
  });
}

function enlarge() {
  if (!current) return;
  const large = byId("large");
  if (large.open) {
    large.close();
    return;
  }
  byId("enlarged").replaceChildren(...current.pictures.map((picture) => {
    const image = made("img", { alt: `Picture ${picture.sha256.slice(0, 8)}, enlarged` });
    image.src = api.pictureAddress(picture.sha256, "full", current.frame);
    const frame = single.framed(picture, image, current.boxes);
    frame.style.width = `max(${picture.width ?? 0}px, ${Math.floor(90 / current.pictures.length)}vw)`;
    return frame;
  }));
  large.showModal();
  byId("enlarged").focus();
}

function focusWork() {
  if (!state.grid) byId("work").focus({ preventScroll: true });
  else byId("cells").children[grid.focused]?.focus();
}

function toggleHelp() {
  const help = byId("help");
  if (help.open) help.close();
  else help.showModal();
}

async function done() {
  if (state.busy) return;
  try {
    const { made: count } = await api.done();
    document.body.replaceChildren(made("main", {}, made("h1", { text: "Done" }), made("p", {
      text: `${count} decisions were made and kept. This page can be closed.`,
    })));
  } catch (error) {
    trouble(error);
  }
}

// Another tab may have decided meanwhile.
async function hear() {
  if (state.busy || !byId("work")) return;
  const news = await api.changes(state.revision);
  if (state.busy || !news.marks.length) return; // a decision brings its own news
  take(news);
  await show();
}

const ACTIONS = {
  u: undo,
  ArrowLeft: () => go(-1),
  ArrowRight: () => go(1),
  " ": enlarge,
  "?": toggleHelp,
  g: toggleGrid,
  a: () => state.grid && grid.chooseAll(),
  w: () => overlay.toggle("wipe"),
  b: () => overlay.toggle("blink"),
};

function key(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || !byId("shortcuts")?.checked) return;
  if (event.target.closest("select, input") || byId("help").open) return;
  if (event.key === " " && event.target.closest("button")) return;
  if (byId("large").open && event.key.startsWith("Arrow")) return;
  const details = state.grid ? grid.offered : current;
  const answer = details && single.answerOf(details, event.key);
  if (!answer && !(event.key in ACTIONS)) return;
  event.preventDefault();
  if (answer && event.repeat) return; // a held key decides once
  if (answer) {
    byId("large").close();
    performance.clearMarks("key");
    performance.mark("key");
    decide(answer);
  } else {
    ACTIONS[event.key]();
  }
}

document.addEventListener("keydown", key);
for (const id of ["kind", "rule", "state"]) byId(id).addEventListener("change", () => once(begin));
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("previous").addEventListener("click", () => go(-1));
byId("next").addEventListener("click", () => go(1));
byId("undo").addEventListener("click", undo);
byId("zoom").addEventListener("click", enlarge);
byId("show-grid").addEventListener("click", toggleGrid);
byId("show-help").addEventListener("click", toggleHelp);
byId("close-help").addEventListener("click", toggleHelp);
byId("close-large").addEventListener("click", enlarge);
byId("done").addEventListener("click", done);
window.addEventListener("focus", () => hear().catch(() => {})); // the next decision says it
once(begin);
