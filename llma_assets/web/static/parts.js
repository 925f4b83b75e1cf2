// Puts parts of a page in place that the server makes more slowly: each once it comes into view. The server makes all
// HTML; without this file each part is a link to its own page.
"use strict";

async function load(box) {
  try {
    const answer = await fetch(box.dataset.part, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const made = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(box.id);
    if (made) box.replaceChildren(...made.childNodes);
  } catch {
    // The server is away; the link is still there.
  }
}

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    load(entry.target);
  }
}, { rootMargin: "200px" });
function look() {
  for (const box of document.querySelectorAll("[data-part]")) seen.observe(box);
}
look();
document.addEventListener("llma:results", look);
