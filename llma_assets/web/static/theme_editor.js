// Counts what the filters match while somebody types. The server makes all HTML; without this file, Check counts.
"use strict";

const form = document.querySelector("form.editor");
let waiting = 0;
let asked = null;

async function count() {
  asked?.abort();
  asked = new AbortController();
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.dataset.counts, { method: "POST", body, signal: asked.signal });
    if (!answer.ok) return;
    const made = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of made.querySelectorAll("[id]")) document.getElementById(part.id)?.replaceChildren(...part.childNodes);
  } catch {
    // It was asked again, or the server is away: Check still works.
  }
}

form?.addEventListener("input", (event) => {
  if (!event.target.name.startsWith("filter_") && event.target.name !== "level") return;
  clearTimeout(waiting);
  waiting = setTimeout(count, 400);
});
