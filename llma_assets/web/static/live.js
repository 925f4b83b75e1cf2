// Shows how far a run is, and new results, without reloading. The server makes all HTML; this file only puts it in place.
"use strict";

const box = document.getElementById("progress");

async function part(address, id) {
  const answer = await fetch(address, { headers: { accept: "text/html" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
}

// The link that has the focus keeps it, so that a reader with a keyboard loses no place.
function putInPlace(old, made) {
  const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  old.replaceChildren(...made.childNodes);
  if (focused) old.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
}

async function look() {
  try {
    if (!document.hidden) {
      const made = await part(box.dataset.address, "progress");
      const isNew = made.dataset.version !== box.dataset.version;
      Object.assign(box.dataset, made.dataset);
      putInPlace(box, made);
      if (isNew) {
        putInPlace(document.getElementById("results"), await part(location.href, "results"));
        document.dispatchEvent(new CustomEvent("llma:results"));
      }
    }
  } catch {
    // The server is away; the next look may find it.
  }
  again();
}

function again() {
  const every = Number(box.dataset.every);
  if (every) setTimeout(look, 1000 * every);
}

if (box) again();
