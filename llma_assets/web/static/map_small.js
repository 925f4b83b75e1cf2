// The small map beside a list: the points of the large one, drawn once it comes into view, in the list's colours.

import { OUTLIERS, Points } from "./map_points.js";
import { View } from "./map_view.js";

const COLOURS = 7;

function rgb(name, place) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  place.append(probe);
  const found = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  probe.remove();
  return found;
}

async function draw(place) {
  const canvas = document.createElement("canvas");
  try {
    const answer = await fetch(place.dataset.points);
    if (!answer.ok) throw new Error(String(answer.status));
    const points = new Points(await answer.arrayBuffer());
    place.prepend(canvas);
    const view = new View(canvas, points);
    // What people count with another cluster has its colour.
    const main = new Map(place.dataset.merged.split(" ").filter(Boolean).map((pair) => pair.split(":").map(Number)));
    const own = Array.from({ length: COLOURS }, (_, i) => rgb(`--c${i}`, place)), noise = rgb("--noise", place);
    const colours = new Uint8Array(4 * points.count);
    for (let i = 0; i < points.count; i++) {
      const cluster = points.cluster[i], number = main.get(cluster) ?? cluster;
      colours.set(cluster === OUTLIERS ? noise : own[number % COLOURS], 4 * i);
      colours[4 * i + 3] = 215;
    }
    view.fill("colour", colours);
    view.fill("mark", new Uint8Array(points.count));
    new ResizeObserver(() => { view.resize(); view.draw(points.first.get(OUTLIERS) ?? points.count); }).observe(canvas);
  } catch {
    canvas.remove();
    const picture = document.createElement("img");
    picture.className = "map";
    picture.src = place.dataset.picture;
    picture.alt = "";
    place.prepend(picture);
  }
}

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    draw(target);
  }
});
function look() {
  for (const place of document.querySelectorAll(".small-map")) seen.observe(place);
}
look();
document.addEventListener("llma:results", look);
