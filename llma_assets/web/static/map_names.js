// Numbers and titles on the islands: of groups while all is seen, of clusters when one comes near; none over another.

const NEAR = 1.8;

export function nameIslands(layer, view, islands, rows) {
  const taken = [], wanted = [], groups = new Map();
  const near = view.zoom >= NEAR;
  for (const row of rows) {
    if (!row.querySelector("input").checked || !row.dataset.number) continue;
    const parts = row.numbers.map((number) => islands.get(number)).filter(Boolean);
    if (!parts.length) continue;
    const [x, y] = parts.reduce((a, b) => (a[2] >= b[2] ? a : b)), size = parts.reduce((sum, part) => sum + part[2], 0);
    wanted.push({ x, y, size, number: row.dataset.number, title: row.dataset.title });
    const group = row.dataset.group;
    if (group && !near) groups.set(group, [...(groups.get(group) ?? []), { x, y, size }]);
  }
  const titles = [...groups].filter(([, parts]) => parts.length > 1).map(([title, parts]) => {
    const size = parts.reduce((sum, part) => sum + part.size, 0), mean = (axis) => parts.reduce((sum, part) => sum + part[axis] * part.size, 0) / size;
    return { x: mean("x"), y: mean("y"), size, title, number: "", isGroup: true };
  });
  const bySize = (a, b) => b.size - a.size, made = [];
  for (const each of [...titles.sort(bySize), ...wanted.sort(bySize)]) {
    const [left, top] = view.onScreen(each.x, each.y);
    if (left < 0 || top < 0 || left > view.width || top > view.height) continue;
    const full = each.isGroup ? each.title : `${each.number} ${each.title}`;
    const short = each.isGroup ? "" : each.number, roomy = view.width > 500 || near;
    const text = (roomy || each.isGroup ? [full, short] : [short]).find((words) => words && fits(taken, box(words, left, top, each.isGroup), view));
    if (!text) continue;
    const area = box(text, left, top, each.isGroup);
    taken.push(area);
    made.push([text, area, each.isGroup]);
  }
  while (layer.children.length > made.length) layer.lastChild.remove();
  made.forEach(([text, [left, top], isGroup], k) => {
    const label = layer.children[k] ?? layer.appendChild(document.createElement("span"));
    if (label.textContent !== text) label.textContent = text;
    label.className = isGroup ? "group" : "";
    label.style.transform = `translate(${left}px, ${top}px)`;
  });
}

// Left, top, right and bottom of words around a place; about as wide as they are drawn.
function box(words, left, top, isGroup) {
  const width = Math.min(224, 12 + words.length * (isGroup ? 7.9 : 6.6)), height = isGroup ? 20 : 18;
  return [left - width / 2, top - height / 2, left + width / 2, top + height / 2];
}

function fits(taken, [left, top, right, bottom], view) {
  if (left < 0 || top < 0 || right > view.width || bottom > view.height) return false;
  return !taken.some(([l, t, r, b]) => left < r && right > l && top < b && bottom > t);
}
