// Narrows the trends to the days that somebody drags over: it fills the two fields of the form, and sends it.
"use strict";

const chart = document.querySelector("svg.days[data-days]"), form = document.getElementById("span");
const days = chart?.dataset.days.split(" ").filter(Boolean) ?? [];

if (chart && form && days.length > 1) {
  document.querySelector("[data-brush-words]").hidden = !matchMedia("(any-pointer: fine)").matches;
  chart.classList.add("brushed");
  const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  box.setAttribute("class", "brush");
  box.setAttribute("y", 0);
  box.setAttribute("height", 220);
  let from = null;

  const dayAt = (event) => {
    const { left, width } = chart.getBoundingClientRect();
    return Math.max(0, Math.min(days.length - 1, Math.floor((event.clientX - left) / width * days.length)));
  };
  const drawTo = (until) => {
    const step = 1000 / days.length, [low, high] = [Math.min(from, until), Math.max(from, until)];
    box.setAttribute("x", low * step);
    box.setAttribute("width", (high - low + 1) * step);
  };
  const end = () => { from = null; box.remove(); };

  chart.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    from = dayAt(event);
    drawTo(from);
    chart.append(box);
    chart.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  chart.addEventListener("pointermove", (event) => { if (from !== null) drawTo(dayAt(event)); });
  chart.addEventListener("pointercancel", end);
  chart.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const [low, high] = [from, dayAt(event)].sort((one, other) => one - other);
    end();
    if (low === high) return;
    form.elements.from.value = days[low];
    form.elements.to.value = days[high];
    form.submit();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") end(); });
}
