// One case on the page: its pictures, what was read or listed, the question and its answers.
import { byId, made, outlined, sized } from "./elements.js";

const KEYS = { keep: "k", drop: "d", same: "s", different: "n" };
const LEAST = "28rem"; // small pictures are made larger, or their words could not be read
const QUESTIONS = {
  text: "Does this picture bear text?",
  duplicate: "Are these the same picture?",
  label: "Which label is right?",
};

export function keyOf(details, answer) {
  if (details.kind !== "label" || answer === details.answers.at(-1)) return KEYS[answer];
  const place = details.answers.indexOf(answer) + 1;
  return place <= 9 ? String(place) : undefined;
}

export function answerOf(details, key) {
  return details.answers.find((answer) => keyOf(details, answer) === key);
}

export function question(details) {
  return QUESTIONS[details.kind];
}

// What the rule says, in words; nothing where it is hidden.
export function said(details) {
  if (details.rule === undefined) return "The rule's answer is hidden.";
  const held = details.threshold === null ? "" : `, held against ${number(details.threshold)}`;
  return `The rule says ${details.rule}: ${details.measure} ${number(details.score)}${held}.`;
}

function number(value) {
  return value === null ? "unknown" : String(Math.round(value * 1000) / 1000);
}

export function framed(picture, image, boxes) {
  const frame = made("div", { className: "frame" });
  if (!image) {
    frame.append(made("p", { className: "lost", text: "This picture cannot be shown." }));
    return frame;
  }
  frame.append(image);
  if (boxes && boxes.length) frame.append(outlined(boxes, picture));
  return frame;
}

export function showPictures(details, images) {
  const place = byId("pictures");
  place.className = details.pictures.length === 1 ? "alone" : "";
  const names = details.kind === "duplicate" ? ["kept of the two", "the other"] : [];
  place.replaceChildren(...details.pictures.map((picture, index) => {
    const size = picture.width ? `${picture.width} × ${picture.height}` : "";
    const words = [names[index], size].filter(Boolean).join(", ");
    const frame = framed(picture, images[index], details.boxes);
    sized(frame, picture, LEAST, "100%");
    return made("figure", {}, frame, made("figcaption", { text: words }));
  }));
}

export function showAnswers(place, details, mine, decide) {
  place.replaceChildren(...details.answers.map((answer) => {
    const key = keyOf(details, answer);
    const button = made("button", { type: "button", text: answer });
    if (key) button.append(" ", made("kbd", { text: key }));
    if (answer === mine) button.className = "mine";
    button.addEventListener("click", () => decide(answer));
    return button;
  }));
}

export function showFacts(details) {
  const parts = [made("p", { text: said(details) })];
  if (details.labels) parts.push(list("Labels, and the listed lines that give them", details.labels.map(
    ({ label, lines }) => `${label}: ${lines}`)));
  if (details.boxes && details.boxes.length) parts.push(list("What was read", details.boxes.map(reading)));
  const urls = [...new Set(details.pictures.map(({ url }) => url).filter(Boolean))];
  if (urls.length) parts.push(list("Where it came from", urls));
  byId("facts").replaceChildren(...parts);
}

function reading({ text, confidence, support }) {
  const again = support === null ? "" : `, read again ${number(support)}`;
  return `“${text}”, confidence ${number(confidence)}${again}`;
}

function list(title, lines) {
  const items = lines.map((text) => made("li", { text }));
  return made("div", {}, made("p", { text: `${title}:` }), made("ul", {}, ...items));
}
