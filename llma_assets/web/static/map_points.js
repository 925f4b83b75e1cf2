// The points of a map in memory: where they are, which is nearest, which are inside a polygon. Knows no drawing.

export const OUTLIERS = 65535, UNKNOWN = 255;
const CELLS = 128;

export class Points {
  // `buffer` is what the API sends: x and y as float32, cluster as uint16, measure as uint8, all little-endian.
  constructor(buffer) {
    const n = this.count = buffer.byteLength / 11;
    this.rawX = new Float32Array(buffer, 0, n);
    this.rawY = new Float32Array(buffer, 4 * n, n);
    this.cluster = new Uint16Array(buffer, 8 * n, n);
    this.measure = new Uint8Array(buffer, 10 * n, n);
    this.place = new Float32Array(2 * n);
    this.shown = new Uint8Array(n).fill(1);
    this.#centre();
    this.#sort();
    this.first = new Map();
    for (let i = 0; i < n; i++) if (!this.first.has(this.cluster[i])) this.first.set(this.cluster[i], i);
  }

  // Into -1 to 1 with one scale for both axes; one far point may not make all others small.
  #centre() {
    const range = (values) => {
      const sorted = values.slice().sort(), last = sorted.length - 1;
      return [sorted[Math.floor(0.002 * last)], sorted[Math.ceil(0.998 * last)]];
    };
    const [lowX, highX] = range(this.rawX), [lowY, highY] = range(this.rawY);
    this.middle = [(lowX + highX) / 2, (lowY + highY) / 2];
    this.unit = Math.max(highX - lowX, highY - lowY, 1e-9) / 2;
    for (let i = 0; i < this.count; i++) {
      this.place[2 * i] = (this.rawX[i] - this.middle[0]) / this.unit;
      this.place[2 * i + 1] = (this.rawY[i] - this.middle[1]) / this.unit;
    }
  }

  #cell(x, y) {
    const at = (value) => Math.max(0, Math.min(CELLS - 1, Math.floor((value + 1) * CELLS / 2)));
    return at(y) * CELLS + at(x);
  }

  // Points by cell of a grid: `order` holds them cell by cell, `starts` where each cell begins.
  #sort() {
    const cell = new Uint16Array(this.count);
    this.starts = new Uint32Array(CELLS * CELLS + 1);
    for (let i = 0; i < this.count; i++) {
      cell[i] = this.#cell(this.place[2 * i], this.place[2 * i + 1]);
      this.starts[cell[i] + 1]++;
    }
    for (let c = 0; c < CELLS * CELLS; c++) this.starts[c + 1] += this.starts[c];
    const next = this.starts.slice();
    this.order = new Uint32Array(this.count);
    for (let i = 0; i < this.count; i++) this.order[next[cell[i]]++] = i;
  }

  // The shown point nearest to a place, -1 without one within `radius`.
  nearest(x, y, radius) {
    let best = -1, bestSquare = radius * radius;
    const low = this.#cell(x - radius, y - radius), high = this.#cell(x + radius, y + radius);
    for (let row = Math.floor(low / CELLS); row <= Math.floor(high / CELLS); row++) {
      const from = this.starts[row * CELLS + low % CELLS], until = this.starts[row * CELLS + high % CELLS + 1];
      for (let k = from; k < until; k++) {
        const i = this.order[k], dx = this.place[2 * i] - x, dy = this.place[2 * i + 1] - y, square = dx * dx + dy * dy;
        if (square <= bestSquare && this.shown[i]) { best = i; bestSquare = square; }
      }
    }
    return best;
  }

  // Of a point: its position among those of its cluster, by which the API finds the item.
  position(i) { return i - this.first.get(this.cluster[i]); }

  // How many shown points are inside a polygon of [x, y] corners.
  inside(corners) {
    let found = 0;
    for (let i = 0; i < this.count; i++) {
      if (this.shown[i] && contains(corners, this.place[2 * i], this.place[2 * i + 1])) found++;
    }
    return found;
  }

  // A place of the map in the coordinates that the server knows.
  stored([x, y]) { return [x * this.unit + this.middle[0], y * this.unit + this.middle[1]]; }

  // The middle of each cluster: the median of its points.
  middles() {
    const places = new Map();
    for (let i = 0; i < this.count; i++) {
      if (this.cluster[i] === OUTLIERS) continue;
      if (!places.has(this.cluster[i])) places.set(this.cluster[i], [[], []]);
      const [xs, ys] = places.get(this.cluster[i]);
      xs.push(this.place[2 * i]);
      ys.push(this.place[2 * i + 1]);
    }
    const median = (values) => Float32Array.from(values).sort()[values.length >> 1];
    return new Map([...places].map(([cluster, [xs, ys]]) => [cluster, [median(xs), median(ys), xs.length]]));
  }
}

function contains(corners, x, y) {
  let inside = false;
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
    const [xi, yi] = corners[i], [xj, yj] = corners[j];
    if ((yi > y) !== (yj > y) && x < (xj - xi) * (y - yi) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}
