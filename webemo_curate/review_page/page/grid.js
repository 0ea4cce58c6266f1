// Many cases at once: chosen with space or clicks, decided together.
import { pictureAddress } from "./api.js";
import { byId, made } from "./elements.js";
import { said, showAnswers } from "./single.js";

export const PAGE = 24;

export class Grid {
  constructor(decide) {
    this.decide = decide;
    this.chosen = new Set();
    this.focused = 0;
    byId("cells").addEventListener("keydown", (event) => this.key(event));
  }

  // Show a page of cases of one kind each; `marks` says what was decided.
  show(cases, marks) {
    this.cases = cases;
    this.chosen.clear();
    this.focused = Math.min(this.focused, Math.max(0, cases.length - 1));
    byId("cells").replaceChildren(...cases.map((each, place) => this.cell(each, place, marks)));
    this.offer();
  }

  cell(details, place, marks) {
    const mine = marks.get(details.number)?.mine;
    const words = `Case ${details.number + 1}, ${details.kind}. ${said(details)} ${mine ? `Decided: ${mine}.` : ""}`;
    const thumbs = details.pictures.slice(0, 2).map(({ sha256 }) => made("img", {
      src: pictureAddress(sha256, "small", details.frame), alt: "", loading: "lazy",
    }));
    const cell = made("div", { role: "option", "aria-selected": "false", "aria-label": words },
      made("div", { className: "thumbs" }, ...thumbs),
      made("div", { text: mine ? `decided: ${mine}` : shortly(details) }));
    cell.tabIndex = place === this.focused ? 0 : -1;
    cell.addEventListener("click", () => {
      this.move(place);
      this.choose(place);
    });
    return cell;
  }

  key(event) {
    const across = getComputedStyle(byId("cells")).gridTemplateColumns.split(" ").length;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across };
    if (event.key in steps) this.move(this.focused + steps[event.key]);
    else if (event.key === " ") this.choose(this.focused);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  move(place) {
    const cells = [...byId("cells").children];
    if (!cells[place]) return;
    cells[this.focused].tabIndex = -1;
    this.focused = place;
    cells[place].tabIndex = 0;
    cells[place].focus();
    this.offer();
  }

  choose(place, wanted) {
    const chosen = wanted ?? !this.chosen.has(place);
    if (chosen) this.chosen.add(place);
    else this.chosen.delete(place);
    byId("cells").children[place].setAttribute("aria-selected", String(chosen));
    this.offer();
  }

  chooseAll() {
    const all = this.chosen.size < this.cases.length;
    this.cases.forEach((_, place) => this.choose(place, all));
  }

  picked() {
    const places = this.chosen.size ? [...this.chosen].sort((a, b) => a - b) : [this.focused];
    return places.map((place) => this.cases[place]).filter(Boolean);
  }

  // Answers that all chosen cases take: what else is chosen must be decided by itself.
  offer() {
    const picked = this.picked();
    const [first] = picked;
    const shared = first ? first.answers.filter((answer) => picked.every(
      (each) => each.kind === first.kind && each.answers.includes(answer))) : [];
    this.offered = first ? { ...first, answers: shared } : null;
    const place = byId("grid-answers");
    if (this.offered) showAnswers(place, this.offered, null, (answer) => this.decide(answer));
    else place.replaceChildren();
  }
}

function shortly(details) {
  if (details.labels) return details.labels.map(({ label }) => label).join(", ");
  return details.rule === undefined ? `case ${details.number + 1}` : `${details.rule}, ${details.score}`;
}
