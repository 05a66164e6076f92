"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { pictures, pairs, artists, sheet } = data;
  const byId = (id) => document.getElementById(id);
  const PAGE = 24, BOX = 144, NOBODY = -1;

  // Elements are made here and get their texts as text. No name is ever parsed as HTML.
  function make(tag, className, ...children) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
  }

  const artistOf = (picture) => (picture.artist === NOBODY ? "" : artists[picture.artist]);
  const described = (picture) => [artistOf(picture), picture.title, picture.name].filter(Boolean).join(", ");

  function fit(element, picture, width, height) {
    const [left, top, w, h] = picture.box;
    const scale = Math.min(width / w, height / h);
    element.style.width = `${w * scale}px`;
    element.style.height = `${h * scale}px`;
    element.style.backgroundSize = `${sheet.width * scale}px ${sheet.height * scale}px`;
    element.style.backgroundPosition = `${-left * scale}px ${-top * scale}px`;
    return element;
  }

  function pictureElement(picture, width, height) {
    if (!picture.box) return make("span", "nothing", "no picture");
    const element = make("span", "picture");
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", described(picture));
    return fit(element, picture, width, height);
  }

  // Inside a button whose text names the painting already.
  function plainPicture(picture, width, height) {
    const element = pictureElement(picture, width, height);
    element.removeAttribute("role");
    element.removeAttribute("aria-label");
    if (picture.box) element.setAttribute("aria-hidden", "true");
    return element;
  }

  function nameElement(picture) {
    const names = make("span", "names");
    const artist = artistOf(picture);
    if (artist) names.append(make("b", "", artist));
    if (picture.title) names.append(make("span", "", picture.title));
    names.append(make("span", "", picture.name));
    return names;
  }

  // No probability is 0 or 1.
  function percent(share) {
    if (share < 0.01) return "under 1 %";
    if (share > 0.99) return "over 99 %";
    return `${Math.round(100 * share)} %`;
  }

  // ---- the pairs ------------------------------------------------------------------------------------------------
  const form = byId("filters"), cards = byId("cards"), more = byId("more"), found = byId("found");
  const margin = (pair) => Math.abs(pair.distance - data.threshold);
  const isKnown = (pair) => pair.same < 2;
  const isWrong = (pair) => isKnown(pair) && pair.same !== pair.predicted;
  const outcomeOf = (pair) => `${pair.same}${pair.predicted}`;
  const OUTCOMES = Object.fromEntries(data.outcomes);
  const VIEWS = {
    wrong: [(pair) => isWrong(pair), (one, other) => margin(other) - margin(one)],
    right: [(pair) => isKnown(pair) && !isWrong(pair), (one, other) => margin(other) - margin(one)],
    threshold: [() => true, (one, other) => margin(one) - margin(other)],
    near: [() => true, (one, other) => one.distance - other.distance],
    far: [() => true, (one, other) => other.distance - one.distance],
  };
  const records = pairs.map(([one, other, distance, probability, same, predicted, flag]) => ({
    one, other, distance, probability, same, predicted, flag,
  }));
  let painting = null, shown = [], limit = PAGE;

  function chosen() {
    const fields = new FormData(form);
    const number = (name) => (fields.get(name) ? Number(fields.get(name)) : null);
    return {
      view: fields.get("view"), outcome: fields.get("outcome"),
      one: number("one"), other: number("other"), low: number("low"), high: number("high"),
    };
  }

  function hasArtists(pair, one, other) {
    const [first, second] = [pictures[pair.one].artist, pictures[pair.other].artist];
    const fits = (artist, wanted) => wanted === null || artist === wanted;
    return (fits(first, one) && fits(second, other)) || (fits(first, other) && fits(second, one));
  }

  function update() {
    const filter = chosen();
    const [belongs, order] = VIEWS[filter.view];
    shown = records.filter((pair) => belongs(pair)
      && (!filter.outcome || outcomeOf(pair) === filter.outcome)
      && (filter.low === null || pair.distance >= filter.low)
      && (filter.high === null || pair.distance <= filter.high)
      && hasArtists(pair, filter.one, filter.other)
      && (painting === null || pair.one === painting || pair.other === painting));
    shown.sort(order);
    limit = PAGE;
    draw();
  }

  function draw() {
    cards.replaceChildren(...shown.slice(0, limit).map(card));
    const count = shown.length;
    const part = count > limit ? `, the first ${limit} are shown` : "";
    found.textContent = count === 0 ? "No drawn pair fits these filters." : `${count.toLocaleString("en")} ${count === 1 ? "pair" : "pairs"}${part}.`;
    if (painting !== null) {
      const clear = make("button", "link chip", `only of ${described(pictures[painting])} – show all`);
      clear.type = "button";
      clear.addEventListener("click", () => { painting = null; update(); });
      found.append(clear);
    }
    more.hidden = count <= limit;
  }

  function card(pair) {
    const two = make("div", "two", work(pair.one), work(pair.other));
    const verdict = make("span", isKnown(pair) ? (isWrong(pair) ? "wrong" : "right") : "", OUTCOMES[outcomeOf(pair)]);
    const scores = make("span", "scores", "distance ", make("b", "", pair.distance.toPrecision(3)), make("br"), "probability ", make("b", "", percent(pair.probability)));
    const item = make("li", "card", two);
    if (pair.flag) item.append(make("p", "flag", "Two photographs of one painting."));
    item.append(make("p", "outcome", verdict, scores));
    return item;
  }

  function work(number) {
    const picture = pictures[number];
    const button = make("button", "work", plainPicture(picture, BOX, BOX), nameElement(picture));
    button.type = "button";
    button.title = "Show only pairs of this painting";
    button.addEventListener("click", () => openPainting(number));
    return button;
  }

  function openPairs(change) {
    form.reset();
    painting = null;
    change();
    update();
    goTo("pairs");
  }

  function setField(name, value) {
    if (form.elements[name]) form.elements[name].value = value;
  }

  const openPainting = (number) => openPairs(() => { painting = number; setField("view", "near"); });
  const openArtists = (one, other) => openPairs(() => { setField("view", "near"); setField("one", one); setField("other", other); });

  function goTo(id) {
    const section = byId(id), title = section.querySelector("h2");
    section.scrollIntoView();
    title.tabIndex = -1;
    title.focus({ preventScroll: true });
  }

  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => { painting = null; setTimeout(update); });
  more.addEventListener("click", () => {
    const first = limit;
    limit += PAGE;
    draw();
    cards.children[first]?.querySelector("button").focus();
  });
  update();

  // In a sandboxed frame, a link to a part of the page may leave it. So the script goes there.
  document.querySelectorAll("nav a").forEach((link) => link.addEventListener("click", (event) => {
    event.preventDefault();
    goTo(link.hash.slice(1));
  }));
  document.querySelectorAll("[data-artist]").forEach((button) =>
    button.addEventListener("click", () => openArtists(button.dataset.artist, "")));

  // ---- the confusion matrix -------------------------------------------------------------------------------------
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const matrix = document.querySelector(".confusion");
  if (matrix) {
    const rows = [...matrix.tBodies[0].rows].map((row) => [...row.cells].slice(1).map((cell) => cell.firstElementChild));
    const all = rows.flat().filter(Boolean);
    const enter = (button) => { all.forEach((each) => { each.tabIndex = each === button ? 0 : -1; }); };
    if (all.length) enter(all[0]);
    matrix.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) { enter(button); openArtists(button.dataset.one, button.dataset.other); }
    });
    matrix.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      let y = rows.findIndex((row) => row.includes(document.activeElement));
      let x = y < 0 ? -1 : rows[y].indexOf(document.activeElement);
      do { x += step[0]; y += step[1]; } while (rows[y] && x in rows[y] && !rows[y][x]);
      const next = rows[y]?.[x];
      if (next) { enter(next); next.focus(); }
    });
  }

  // ---- the map --------------------------------------------------------------------------------------------------
  const canvas = byId("canvas");
  if (!canvas) return;
  const MOST_ZOOM = 16, EDGE = 40;
  const size = Math.max(26, Math.min(72, 900 / Math.sqrt(pictures.length)));
  const view = { zoom: 1, x: 0, y: 0 };
  const items = pictures.map((picture, number) => ({ picture, number })).filter(({ picture }) => picture.place && picture.box);
  for (const item of items) {
    item.button = fit(make("button", "picture"), item.picture, size, size);
    item.button.type = "button";
    item.button.tabIndex = -1;
    item.button.title = described(item.picture);
    item.button.setAttribute("aria-label", described(item.picture));
    item.width = parseFloat(item.button.style.width);
    item.height = parseFloat(item.button.style.height);
  }
  canvas.append(...items.map((item) => item.button));
  if (items.length) items[0].button.tabIndex = 0;
  let waiting = false;

  function place() {
    waiting = false;
    const width = canvas.clientWidth - 2 * EDGE, height = canvas.clientHeight - 2 * EDGE;
    const scale = view.zoom ** 0.6;
    for (const item of items) {
      item.x = EDGE + view.x + item.picture.place[0] * width * view.zoom;
      item.y = EDGE + view.y + item.picture.place[1] * height * view.zoom;
      item.button.style.transform = `translate(${item.x - item.width * scale / 2}px, ${item.y - item.height * scale / 2}px) scale(${scale})`;
    }
  }

  function later() {
    const width = canvas.clientWidth, height = canvas.clientHeight;
    view.x = Math.min(width * 0.4, Math.max(-width * (view.zoom - 0.6), view.x));
    view.y = Math.min(height * 0.4, Math.max(-height * (view.zoom - 0.6), view.y));
    if (!waiting) { waiting = true; requestAnimationFrame(place); }
  }

  function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
    const next = Math.min(MOST_ZOOM, Math.max(1, view.zoom * factor));
    const ratio = next / view.zoom;
    view.x = x - EDGE - (x - EDGE - view.x) * ratio;
    view.y = y - EDGE - (y - EDGE - view.y) * ratio;
    view.zoom = next;
    if (next === 1) { view.x = 0; view.y = 0; }
    later();
  }

  function whole() {
    Object.assign(view, { zoom: 1, x: 0, y: 0 });
    later();
  }

  function pan(x, y) {
    view.x += x;
    view.y += y;
    later();
  }

  canvas.addEventListener("wheel", (event) => {
    if (event.deltaY > 0 && view.zoom === 1) return; // the page scrolls on
    event.preventDefault();
    const frame = canvas.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * 0.002), event.clientX - frame.left, event.clientY - frame.top);
  }, { passive: false });

  const pointers = new Map();
  let moved = 0;
  const spread = () => {
    const [one, other] = [...pointers.values()];
    return Math.hypot(one.x - other.x, one.y - other.y);
  };
  canvas.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    moved = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const wide = pointers.size === 2 ? spread() : 0;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    moved += Math.abs(event.clientX - before.x) + Math.abs(event.clientY - before.y);
    if (wide) {
      const frame = canvas.getBoundingClientRect();
      zoom(spread() / wide, event.clientX - frame.left, event.clientY - frame.top);
    } else if (moved > 4) {
      if (!canvas.hasPointerCapture(event.pointerId)) canvas.setPointerCapture(event.pointerId);
      canvas.classList.add("moving");
      pan(event.clientX - before.x, event.clientY - before.y);
    }
  });
  const release = (event) => {
    pointers.delete(event.pointerId);
    canvas.classList.remove("moving");
  };
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) canvas.addEventListener(name, release);

  const itemOf = (button) => items.find((item) => item.button === button);
  canvas.addEventListener("click", ({ target, detail }) => {
    const item = itemOf(target.closest("button")), byKey = detail === 0;
    if (item && (byKey || moved <= 4)) choose(item);
  });

  function enter(item) {
    items.forEach((each) => { each.button.tabIndex = each === item ? 0 : -1; });
    item.button.focus({ preventScroll: true });
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const inside = item.x > EDGE && item.x < width - EDGE && item.y > EDGE && item.y < height - EDGE;
    if (!inside) pan(width / 2 - item.x, height / 2 - item.y);
  }

  // The nearest painting in a direction; one that lies sideways counts as farther.
  function neighbour(item, [dx, dy]) {
    let best = null, least = Infinity;
    for (const other of items) {
      const along = (other.x - item.x) * dx + (other.y - item.y) * dy;
      const beside = Math.abs((other.x - item.x) * dy) + Math.abs((other.y - item.y) * dx);
      if (along > 0.5 && along + 2.5 * beside < least) { best = other; least = along + 2.5 * beside; }
    }
    return best;
  }

  canvas.addEventListener("keydown", (event) => {
    const step = STEPS[event.key], item = itemOf(document.activeElement);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (step && event.shiftKey) pan(-60 * step[0], -60 * step[1]);
    else if (step && item) {
      const next = neighbour(item, step);
      if (next) enter(next);
    } else if (event.key === "+" || event.key === "=") zoom(1.4);
    else if (event.key === "-") zoom(1 / 1.4);
    else if (event.key === "0") whole();
    else return;
    event.preventDefault();
  });
  byId("zoom-in").addEventListener("click", () => zoom(1.4));
  byId("zoom-out").addEventListener("click", () => zoom(1 / 1.4));
  byId("zoom-all").addEventListener("click", whole);
  addEventListener("resize", later);

  const highlight = byId("highlight");
  highlight?.addEventListener("change", () => {
    const artist = highlight.value === "" ? null : Number(highlight.value);
    for (const { button, picture } of items) button.classList.toggle("dim", artist !== null && picture.artist !== artist);
  });

  function choose(item) {
    const { picture, number } = item, near = new Set(picture.near);
    for (const each of items) {
      each.button.classList.toggle("chosen", each === item);
      each.button.classList.toggle("near", near.has(each.number));
      each.button.tabIndex = each === item ? 0 : -1;
    }
    const show = make("button", "link", "Show its pairs");
    show.type = "button";
    show.addEventListener("click", () => openPainting(number));
    const parts = [pictureElement(picture, 224, 224), make("p", "names", ...nameElement(picture).childNodes)];
    if (picture.unfamiliar) parts.push(make("p", "flag", "This photograph is unlike those that the tower was trained on."));
    parts.push(show, make("h3", "", "Most alike"), make("ul", "likes", ...picture.near.map(like)));
    byId("detail").replaceChildren(...parts);
  }

  function like(number) {
    const picture = pictures[number];
    const button = make("button", "link", make("span", "frame", plainPicture(picture, 48, 48)), nameElement(picture));
    button.type = "button";
    button.addEventListener("click", () => {
      const item = items.find((each) => each.number === number);
      if (item) { choose(item); enter(item); }
    });
    return make("li", "", button);
  }

  place();
})();
