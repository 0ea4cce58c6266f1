"use strict";

// Enlarging: one dialog shows any picture; of a pair one lies over the other and wipes.
const viewer = document.getElementById("viewer");
const [under, over] = viewer.querySelectorAll("img");
const wipe = viewer.querySelector("input");

function wipeTo(percent) {
  over.style.clipPath = `inset(0 0 0 ${percent}%)`;
  viewer.style.setProperty("--wipe", `${percent}%`);
}

function enlarge(button) {
  const [first, second] = button.querySelectorAll("img");
  under.src = first.src;
  under.alt = first.alt;
  over.hidden = !second;
  over.alt = second ? second.alt : "";
  // The second lies where it is on the first: a crop in its place, a mirrored one turned.
  if (second) over.src = button.dataset.laid ?? second.src;
  else over.removeAttribute("src");
  viewer.classList.toggle("paired", Boolean(second));
  viewer.querySelector(".says").textContent =
    button.closest("figure").querySelector("figcaption").textContent;
  wipe.value = 50;
  wipeTo(50);
  viewer.showModal();
}

for (const button of document.querySelectorAll("button.enlarge")) {
  button.addEventListener("click", () => enlarge(button));
}
wipe.addEventListener("input", () => wipeTo(wipe.value));
viewer.querySelector(".stage").addEventListener("pointermove", (moved) => {
  if (over.hidden) return;
  const box = over.getBoundingClientRect();
  const share = (100 * (moved.clientX - box.left)) / box.width;
  wipe.value = Math.round(Math.min(100, Math.max(0, share)));
  wipeTo(wipe.value);
});
viewer.addEventListener("click", (clicked) => {
  if (clicked.target === viewer) viewer.close();
});

// Sorting: a button in each heading of a table; first up, then down.
// A number, alone or before a unit or an interval; a date or a digest is none.
const NUMERIC = /^[-+]?[\d.,]+(?:e[-+]?\d+)?(?:$|[\s%])/;

function valueOf(row, column) {
  const cell = row.cells[column];
  const text = cell.dataset.value ?? cell.textContent.trim();
  const number = Number.parseFloat(text.replaceAll(",", ""));
  return { text, number: NUMERIC.test(text) ? number : Number.NaN };
}

function compare(one, other) {
  const numbers = [one.number, other.number].map(Number.isNaN);
  if (!numbers[0] && !numbers[1]) return one.number - other.number;
  if (numbers[0] !== numbers[1]) return numbers[0] ? 1 : -1;
  return one.text.localeCompare(other.text);
}

function sort(table, heading) {
  const down = heading.getAttribute("aria-sort") === "ascending";
  for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [valueOf(row, heading.cellIndex), row]);
  rows.sort(([one], [other]) => (down ? -1 : 1) * compare(one, other));
  body.append(...rows.map(([, row]) => row));
}

for (const table of document.querySelectorAll("table:not(.plain, .matrix)")) {
  for (const heading of table.querySelectorAll("thead th")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(table, heading));
  }
}

// Folding: what an address points at is unfolded, and paper shows everything.
function unfold() {
  const aim = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let at = aim; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  const fold = aim?.querySelector(":scope > details.fold");
  if (fold) fold.open = true;
  aim?.scrollIntoView();
}
window.addEventListener("hashchange", unfold);
if (location.hash) unfold();

let folded = [];
window.addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const details of folded) details.open = true;
});
window.addEventListener("afterprint", () => {
  for (const details of folded) details.open = false;
});
