// What the page asks of its server: every address is relative, so that the token stays in front.

export class Refused extends Error {}

async function asked(address, options) {
  let answer;
  try {
    answer = await fetch(address, { cache: "no-store", ...options });
  } catch {
    throw new Refused("The server has stopped. What was decided is kept; run the command again.");
  }
  const document = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(document.error || `The server answered ${answer.status}.`);
  return document;
}

function sent(address, document) {
  const headers = { "content-type": "application/json" };
  return asked(address, { method: "POST", headers, body: JSON.stringify(document) });
}

export const view = (filter) => asked(`view?${new URLSearchParams(filter)}`);
export const cases = (numbers) => asked(`cases?numbers=${numbers.join(",")}`);
export const changes = (since) => asked(`changes?since=${since}`);
export const decide = (numbers, decision, since) => sent("decide", { numbers, decision, since });
export const undo = (since) => sent("undo", { since });
export const done = () => sent("done", {});

export function pictureAddress(sha256, side, frame) {
  const query = new URLSearchParams({ side });
  if (frame !== null && frame !== undefined) query.set("frame", frame);
  return `picture/${encodeURIComponent(sha256)}?${query}`;
}

export function laidAddress(first, second) {
  return `laid/${encodeURIComponent(first)}/${encodeURIComponent(second)}`;
}
