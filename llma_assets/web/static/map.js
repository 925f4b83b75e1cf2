// The map page: fetches the points once, then draws, names, points, filters and selects without asking for them again.

import { OUTLIERS, Points, UNKNOWN } from "./map_points.js";
import { nameIslands } from "./map_names.js";
import { View } from "./map_view.js";

const root = document.querySelector(".mapping"), field = root.querySelector(".field"), card = root.querySelector(".card");
const canvas = root.querySelector("canvas"), polygon = root.querySelector("polygon");
const rows = [...root.querySelectorAll(".legend li")];
const MARKS = 4, COLOURS = 7, REACH = 12, MOST_CORNERS = 60;
let points, view, run, measures, outliers, lit = null, waiting = false, pinned = false, asked = 0;

// ---------- start
try {
  const answer = await fetch(root.dataset.points);
  if (!answer.ok) throw new Error(`the points could not be read (${answer.status})`);
  run = answer.headers.get("X-Run");
  measures = answer.headers.get("X-Scale") ?? "";
  points = new Points(await answer.arrayBuffer());
  field.hidden = false;
  view = new View(canvas, points);
} catch (error) {
  field.hidden = true;
  const picture = document.createElement("img");
  picture.className = "map";
  picture.src = root.dataset.picture;
  picture.alt = "Map of the clusters; the list has the same ones";
  field.after(picture);
  throw error;
}
outliers = points.first.get(OUTLIERS) ?? points.count;
const islands = points.middles();
for (const row of rows) {
  row.numbers = row.dataset.numbers.split(" ").filter(Boolean).map(Number);
  row.querySelector("input").hidden = false;
}
root.querySelector(".choices").hidden = false;
root.querySelector(".colours").hidden = false;
const rowOf = new Map(rows.flatMap((row) => row.numbers.map((number) => [number, row])));
const marks = new Uint8Array(points.count);
for (let i = 0; i < points.count; i++) marks[i] = Math.floor(mainOf(points.cluster[i]) / COLOURS) % MARKS;
view.fill("mark", root.dataset.colour === "cluster" ? marks : new Uint8Array(points.count));
fromAddress();
paint();
new ResizeObserver(() => { view.resize(); later(); }).observe(field);
view.resize();
draw();
const pixel = new Uint8Array(4);
view.gl.readPixels(0, 0, 1, 1, view.gl.RGBA, view.gl.UNSIGNED_BYTE, pixel);
performance.mark("map drawn");
scale(measures);

// ---------- drawing
function later() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); });
}

function draw() {
  view.draw(outliers);
  nameIslands(root.querySelector(".names"), view, islands, rows);
}

function mainOf(cluster) {
  return cluster === OUTLIERS ? 0 : Number(rowOf.get(cluster)?.dataset.number || 0);
}

function rgb(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  root.append(probe);
  const found = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  probe.remove();
  return found;
}

// Colours of all points; what is not shown gets none, what is not lit gets a little.
function paint() {
  const byCluster = root.dataset.colour === "cluster";
  const own = Array.from({ length: COLOURS }, (_, i) => rgb(`--c${i}`)), noise = rgb("--noise"), unknown = rgb("--unknown");
  const ramp = ["--ramp-low", "--ramp-middle", "--ramp-high"].map(rgb);
  const shades = Array.from({ length: 256 }, (_, step) => {
    const part = 2 * step / 254, low = Math.min(1, Math.floor(part)), share = Math.min(1, part - low);
    return step === UNKNOWN ? unknown : ramp[low].map((value, k) => value + (ramp[low + 1][k] - value) * share);
  });
  const colours = new Uint8Array(4 * points.count), strong = points.count > 20000 ? 190 : 225;
  const state = new Map();
  for (const row of rows) {
    for (const number of row.numbers) state.set(number, [row.querySelector("input").checked, lit === null || lit === row]);
  }
  for (let i = 0; i < points.count; i++) {
    const cluster = points.cluster[i], [on, bright] = state.get(cluster) ?? [false, false];
    points.shown[i] = on ? 1 : 0;
    const colour = !byCluster ? shades[points.measure[i]] : cluster === OUTLIERS ? noise : own[mainOf(cluster) % COLOURS];
    colours[4 * i] = colour[0]; colours[4 * i + 1] = colour[1]; colours[4 * i + 2] = colour[2];
    colours[4 * i + 3] = !on ? 0 : bright ? strong : 28;
  }
  view.fill("colour", colours);
}

function scale(text) {
  const place = root.querySelector(".scale"), values = text.split(",").filter(Boolean), colour = root.dataset.colour;
  if (!values.length) return;
  const short = (x) => Number(Number(x).toPrecision(2));
  const words = { errors: () => ["no error", "error"], cost: (v) => v.map((x) => `$${short(x)}`), time: (v) => v.map((x) => `${short(x)} s`), day: (v) => v }[colour](values);
  place.hidden = false;
  place.append(words[0], document.createElement("i"), words.at(-1));
}

// ---------- the address is the state: place, zoom, and what is left out
function fromAddress() {
  const state = new URLSearchParams(location.hash.slice(1)), at = (state.get("at") ?? "").split(",").map(Number);
  if (at.length === 3 && at.every(Number.isFinite)) [view.x, view.y, view.zoom] = at;
  const off = (state.get("off") ?? "").split(",");
  for (const row of rows) row.querySelector("input").checked = !off.includes(row.dataset.number || "none");
}

function toAddress() {
  const off = rows.filter((row) => !row.querySelector("input").checked).map((row) => row.dataset.number || "none");
  const state = [`at=${[view.x, view.y, view.zoom].map((value) => +value.toFixed(4)).join(",")}`];
  if (off.length) state.push(`off=${off.join(",")}`);
  history.replaceState(null, "", `#${state.join("&")}`);
}

let settling = 0;
function moved() {
  later();
  clearTimeout(settling);
  settling = setTimeout(toAddress, 300);
}

// ---------- the list
for (const row of rows) {
  row.querySelector("input").addEventListener("change", () => { paint(); moved(); });
  for (const [event, on] of [["pointerenter", true], ["pointerleave", false], ["focusin", true], ["focusout", false]]) {
    row.addEventListener(event, () => { lit = on ? row : null; row.classList.toggle("on", on); paint(); later(); });
  }
}
root.querySelector(".choices").addEventListener("click", ({ target }) => {
  if (!target.dataset.do) return;
  for (const row of rows) row.querySelector("input").checked = target.dataset.do === "every";
  paint();
  moved();
});

// ---------- tools and keys
const DO = {
  in: () => view.zoomAt(1.6), out: () => view.zoomAt(1 / 1.6),
  all: () => { view.x = view.y = 0; view.zoom = 1; },
  lasso: () => selecting(!field.classList.contains("selecting")),
};
const KEYS = {
  "+": DO.in, "=": DO.in, "-": DO.out, "0": DO.all,
  ArrowLeft: () => view.move(60, 0), ArrowRight: () => view.move(-60, 0),
  ArrowUp: () => view.move(0, 60), ArrowDown: () => view.move(0, -60),
  Escape: () => { selecting(false); hideCard(); },
};
root.querySelector(".tools").addEventListener("click", ({ target }) => {
  const tool = target.closest("button");
  if (tool) { DO[tool.dataset.do](); moved(); }
});
field.addEventListener("keydown", (event) => {
  const wanted = KEYS[event.key];
  if (!wanted || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  wanted();
  moved();
});
function selecting(on) {
  field.classList.toggle("selecting", on);
  root.querySelector("[data-do=lasso]").setAttribute("aria-pressed", String(on));
  if (on) polygon.setAttribute("points", "");
}

// ---------- the pointer: drag to move, two fingers to zoom, point for a title, click to keep it
const fingers = new Map();
let dragged = 0, drawn = [];
const place = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, place(event));
  dragged = 0;
  drawn = [place(event)];
});
canvas.addEventListener("pointermove", (event) => {
  const now = place(event), before = fingers.get(event.pointerId);
  if (!before) return point(now, false);
  if (field.classList.contains("selecting") && fingers.size === 1) {
    drawn.push(now);
    polygon.setAttribute("points", drawn.map((each) => each.join(",")).join(" "));
    return;
  }
  if (fingers.size === 2) {
    const other = [...fingers].find(([id]) => id !== event.pointerId)[1];
    const span = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
    view.zoomAt(span(now, other) / Math.max(1, span(before, other)), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  } else view.move(now[0] - before[0], now[1] - before[1]);
  dragged += Math.hypot(now[0] - before[0], now[1] - before[1]);
  fingers.set(event.pointerId, now);
  moved();
});
canvas.addEventListener("pointerup", (event) => {
  fingers.delete(event.pointerId);
  if (field.classList.contains("selecting")) return selected();
  if (dragged < 5) { pinned = false; point(place(event), true); }
});
canvas.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  view.zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), ...place(event));
  moved();
}, { passive: false });

// ---------- the card
function link(text, address) {
  const made = document.createElement("a");
  made.textContent = text;
  made.href = address;
  return made;
}

function show(...lines) {
  card.replaceChildren(...lines.map((parts) => { const line = document.createElement("p"); line.append(...parts); return line; }));
  card.hidden = false;
}

function hideCard() {
  card.hidden = true;
  pinned = false;
  polygon.setAttribute("points", "");
}

let resting = 0;
function point(at, keep) {
  const found = points.nearest(...view.onMap(...at), REACH / view.pixels);
  field.classList.toggle("pointing", found >= 0);
  if (pinned) return;
  clearTimeout(resting);
  if (found < 0) return void (keep && hideCard());
  pinned = keep;
  resting = setTimeout(() => describe(found), keep ? 0 : 90);
}

async function describe(i) {
  const mine = ++asked;
  const answer = await fetch(`${root.dataset.item}&run=${run}&cluster=${points.cluster[i]}&position=${points.position(i)}`);
  if (mine !== asked) return;
  if (!answer.ok) return show([(await answer.json()).detail ?? "The item could not be read."]);
  const item = await answer.json();
  const trace = link(item.title || item.item, `${root.dataset.trace}?id=${encodeURIComponent(item.item)}`);
  const home = item.lineage_id ? link(item.cluster_title, root.dataset.cluster + encodeURIComponent(item.lineage_id) + root.dataset.query) : item.cluster_title;
  show([trace], [home]);
}

function selected() {
  selecting(false);
  const step = Math.max(1, Math.ceil(drawn.length / MOST_CORNERS)), corners = drawn.filter((_, k) => k % step === 0);
  if (corners.length < 3) return polygon.setAttribute("points", "");
  const places = corners.map((each) => view.onMap(...each)), count = points.inside(places);
  pinned = true;
  if (!count) return show(["No item is in the area."]);
  const area = places.map((each) => points.stored(each).map((value) => value.toPrecision(6)).join(",")).join(";");
  show([`${count.toLocaleString("en")} items in the area: `, link("show them in the table", `${root.dataset.table}&area=${encodeURIComponent(area)}`)]);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { paint(); later(); });
