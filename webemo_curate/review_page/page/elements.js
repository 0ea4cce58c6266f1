// Elements made from text that nobody has checked: always as text, never as markup.

export const byId = (id) => document.getElementById(id);

export function made(name, { text, ...properties } = {}, ...children) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

export function outlined(boxes, { width, height }) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  for (const box of boxes) {
    const polygon = document.createElementNS(space, "polygon");
    polygon.setAttribute("points", box.points.join(" "));
    svg.append(polygon);
  }
  return svg;
}

// Give what holds a picture its size on the page: all of it, large enough to see, within bounds.
export function sized(element, { width, height }, least, most) {
  if (!width || !height) return;
  element.style.width = `min(${most}, max(${width}px, ${least}), calc(${HIGHEST} * ${width / height}))`;
}

const HIGHEST = "62vh";
