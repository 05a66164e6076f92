"use strict";
// The script of artsim's page. It makes elements and sets their texts; it never parses a text as HTML.

const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const make = (tag, attributes = {}, ...children) => {
  const { class: name, ...rest } = attributes;
  const made = document.createElement(tag);
  if (name) made.className = name;
  for (const [key, value] of Object.entries(rest)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};
const drawn = (tag, attributes, text = "") => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
};

const mostBytes = Number(document.body.dataset.mostBytes);
const panels = all(".panel");
const result = one("#result"), waiting = one("#waiting"), fault = one("#fault"), status = one("#status");
const files = new Map(); // by slot
let asked = 0; // the number of the last question; earlier answers are not shown

const panelNow = () => panels.find((panel) => !panel.hidden);
const slotsOf = (panel) => all(".slot", panel);
const megabytes = (bytes) => `${Math.round(bytes / 1e6).toLocaleString("en")} MB`;

// Slots.

function fill(slot, file) {
  files.set(slot, file);
  const view = one(".slot-view", slot), url = URL.createObjectURL(file);
  const picture = make("img", { src: url, alt: file.name || "the picture" });
  picture.addEventListener("load", () => URL.revokeObjectURL(url));
  picture.addEventListener("error", () => {
    URL.revokeObjectURL(url);
    view.replaceChildren(make("span", { class: "nothing" }, "This browser can't show it"));
  });
  view.replaceChildren(picture);
  one(".slot-name", slot).textContent = file.name || "pasted picture";
  one(".slot-remove", slot).hidden = false;
  slot.classList.add("full");
}

function empty(slot) {
  files.delete(slot);
  one(".slot-view", slot).replaceChildren();
  one(".slot-name", slot).textContent = "";
  one(".slot-remove", slot).hidden = true;
  one("input", slot).value = "";
  slot.classList.remove("full");
}

// Put files into a slot and, if there are several, into those after it.
function place(slot, given) {
  const panel = slot.closest(".panel"), slots = slotsOf(panel);
  const start = given.length > 1 ? 0 : slots.indexOf(slot);
  [...given].slice(0, slots.length).forEach((file, number) => fill(slots[(start + number) % slots.length], file));
  ask(panel);
}

const firstFree = (panel) => slotsOf(panel).find((slot) => !files.has(slot)) || slotsOf(panel).at(-1);

for (const slot of all(".slot")) {
  const input = one("input", slot);
  input.addEventListener("change", () => { if (input.files.length) place(slot, input.files); input.value = ""; });
  one(".slot-remove", slot).addEventListener("click", () => { empty(slot); asked += 1; clear(); input.focus(); });
  for (const name of ["dragenter", "dragover"]) slot.addEventListener(name, () => slot.classList.add("over"));
  for (const name of ["dragleave", "drop"]) slot.addEventListener(name, () => slot.classList.remove("over"));
}
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => { // beside a slot, too: the browser would leave the page
  event.preventDefault();
  const given = event.dataTransfer.files;
  if (given.length) place(event.target.closest?.(".slot") || firstFree(panelNow()), given);
});
addEventListener("paste", (event) => {
  const given = event.clipboardData.files;
  if (given.length) { event.preventDefault(); place(firstFree(panelNow()), given); }
});

for (const input of all("input[name=mode]")) input.addEventListener("change", () => {
  for (const panel of panels) panel.hidden = panel.dataset.mode !== input.value;
  asked += 1;
  clear();
  ask(panelNow());
});

// Questions and answers.

function clear() {
  for (const part of [result, waiting, fault]) part.hidden = true;
  status.textContent = "";
}

async function ask(panel) {
  clear();
  const slots = slotsOf(panel);
  if (!slots.every((slot) => files.has(slot))) return;
  const large = slots.map((slot) => files.get(slot)).find((file) => file.size > mostBytes);
  if (large) return complain(`${large.name}: ${megabytes(large.size)}, and a picture may have ${megabytes(mostBytes)}. Start the page with --max-upload for larger ones.`);
  const form = new FormData(), number = ++asked;
  for (const slot of slots) form.append(slot.dataset.field, files.get(slot), files.get(slot).name || "picture");
  waiting.hidden = false;
  status.textContent = "Looking at the paintings.";
  let found, again = false;
  try {
    const answer = await fetch(panel.dataset.action, { method: "POST", body: form });
    const isJson = (answer.headers.get("content-type") || "").startsWith("application/json");
    found = isJson ? await answer.json() : { error: (await answer.text()).slice(0, 300) };
    again = answer.status >= 500;
    if (!answer.ok && !found.error) found = { error: `The page got no answer (${answer.status}).` };
  } catch {
    found = { error: "artsim does not answer. Is it still running in its terminal?" };
    again = true;
  }
  if (number !== asked) return;
  clear();
  if (found.error) return complain(found.error, again);
  result.replaceChildren(...(panel.dataset.mode === "pair" ? pairParts(found) : nearestParts(found)));
  result.hidden = false;
  result.focus({ preventScroll: true });
  result.scrollIntoView({ block: "nearest" });
}

// Say what is wrong; `again`: the same question may get an answer later.
function complain(text, again = false) {
  clear();
  one("button", fault).hidden = !again;
  one("p", fault).textContent = text.charAt(0).toUpperCase() + text.slice(1);
  fault.hidden = false;
}
one("button", fault).addEventListener("click", () => ask(panelNow()));

// Two paintings.

function pairParts(found) {
  const parts = [make("h2", { id: "result-title" }, found.conclusion)];
  if (!found.same_work) parts.push(make("div", { class: "verdict" },
    make("div", {},
      make("span", { class: "auc" }, found.shown.probability),
      make("span", { class: "of" }, `probability of one artist, if ${found.shown.prior} of such pairs are by one artist`)),
    ruler(found)));
  const rows = found.rows.map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text)));
  return [...parts, make("dl", { class: "made" }, ...rows), make("p", { class: "opinion" }, found.opinion)];
}

function ruler({ distance, threshold }) {
  const width = 560, most = Math.max(2 * threshold, 1.1 * distance), x = (value) => 4 + (width - 8) * value / most;
  const isNear = distance < threshold;
  const label = `Distance ${distance.toFixed(3)}, ${isNear ? "below" : "not below"} the threshold ${threshold.toFixed(3)}`;
  const picture = drawn("svg", { class: "ruler", viewBox: `0 0 ${width} 84`, role: "img", "aria-label": label });
  const at = Math.min(Math.max(x(distance), 40), width - 40);
  picture.append(
    drawn("line", { class: "rail", x1: 4, x2: width - 4, y1: 42, y2: 42 }),
    drawn("line", { class: "near", x1: 4, x2: x(threshold), y1: 42, y2: 42 }),
    drawn("line", { class: "limit", x1: x(threshold), x2: x(threshold), y1: 28, y2: 56 }),
    drawn("circle", { class: isNear ? "point" : "point far", cx: x(distance), cy: 42, r: 8 }),
    drawn("text", { class: "value-text", x: at, y: 22, "text-anchor": "middle" }, `distance ${distance.toFixed(3)}`),
    drawn("text", { x: 4, y: 74 }, "one artist"),
    drawn("text", { x: x(threshold), y: 74, "text-anchor": "middle" }, `threshold ${threshold.toFixed(3)}`),
    drawn("text", { x: width - 4, y: 74, "text-anchor": "end" }, "two artists"));
  return picture;
}

// The nearest works.

function nearestParts(found) {
  const parts = [make("h2", { id: "result-title" }, `The works nearest to ${found.query}`)];
  parts.push(...found.remarks.map((remark) => make("p", { class: "remark" }, remark)));
  if (found.artists.length) parts.push(artistTable(found.artists));
  parts.push(make("ol", { class: "neighbours" }, ...found.works.map(nearWork)));
  if (found.validated) parts.push(make("p", { class: "caption validated" }, found.validated));
  if (!found.works.length) parts.push(make("p", {}, "The gallery has no other work."));
  return parts;
}

function nearWork(work) {
  const frame = make("div", { class: "frame" }), nothing = () => make("span", { class: "nothing" }, "no picture");
  frame.append(nothing());
  if (work.picture !== null) {
    const picture = make("img", { src: `/pictures/${work.picture}`, alt: work.artist ? `${work.image}, ${work.artist}` : work.image, title: work.image });
    picture.addEventListener("error", () => frame.replaceChildren(nothing()));
    frame.replaceChildren(picture);
  }
  const names = make("p", { class: "names" });
  if (work.artist) names.append(make("b", {}, work.artist));
  names.append(make("span", {}, work.image));
  const scores = make("p", { class: "scores" }, make("b", {}, work.shown.probability), " same artist", make("br"), `distance ${work.shown.distance}`);
  const item = make("li", {}, frame, names, scores);
  if (work.copy) item.append(make("p", { class: "flag" }, "A photograph of the same painting."));
  return item;
}

function artistTable(artists) {
  const head = ["artist", "share", "as a bar", "distance", "works"];
  const cell = (number, text) => make("th", { scope: "col", class: number === 0 || number === 2 ? "" : "number" }, number === 2 ? make("span", { class: "hidden" }, text) : text);
  const rows = artists.map((artist) => {
    const bar = drawn("svg", { class: "interval", viewBox: "0 0 200 14", preserveAspectRatio: "none", "aria-hidden": "true" });
    bar.append(drawn("path", { class: "rail", d: "M0 7H200" }), drawn("path", { class: "range", d: `M0 7H${(200 * artist.share).toFixed(1)}` }));
    return make("tr", {},
      make("th", { scope: "row" }, artist.artist), make("td", { class: "number strong" }, artist.shown.share),
      make("td", {}, bar), make("td", { class: "number" }, artist.shown.distance),
      make("td", { class: "number" }, artist.works.toLocaleString("en")));
  });
  const table = make("table", { class: "groups" },
    make("caption", { class: "hidden" }, "Artists by their nearest works"),
    make("thead", {}, make("tr", {}, ...head.map((text, number) => cell(number, text)))), make("tbody", {}, ...rows));
  const note = make("p", { class: "caption" }, "A share is the artist's probability if the painting is by an artist of the gallery.");
  return make("div", { class: "answer-artists" }, make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Artists" }, table), note);
}

// Paintings to try.

for (const button of all(".try")) button.addEventListener("click", async () => {
  const slots = slotsOf(panelNow()), numbers = [button.dataset.first, button.dataset.second];
  try {
    const given = await Promise.all(numbers.map(async (number, place) => {
      const answer = await fetch(`/examples/${number}`);
      if (!answer.ok) throw new Error(answer.statusText);
      return new File([await answer.blob()], `example ${place + 1}.jpg`, { type: "image/jpeg" });
    }));
    given.forEach((file, number) => fill(slots[number], file));
    ask(panelNow());
  } catch {
    complain("artsim does not answer. Is it still running in its terminal?");
  }
});
