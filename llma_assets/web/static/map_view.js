// Draws points by WebGL: one buffer of places, one of colours; zoom and pan change two numbers and nothing else.

const VERTEX = `
attribute vec2 place; attribute vec4 colour; attribute float mark;
uniform vec2 scale, shift; uniform float size;
varying vec4 paint; varying float form;
void main() {
  paint = colour; form = mark;
  gl_Position = colour.a == 0.0 ? vec4(2.0, 2.0, 2.0, 1.0) : vec4(place * scale + shift, 0.0, 1.0);
  gl_PointSize = size;
}`;
const FRAGMENT = `
precision mediump float;
varying vec4 paint; varying float form;
void main() {
  vec2 at = 2.0 * gl_PointCoord - 1.0, far = abs(at);
  bool inside = form < 0.5 ? dot(at, at) < 1.0
    : form < 1.5 ? max(far.x, far.y) < 0.85
    : form < 2.5 ? at.y < 0.85 && far.x < (at.y + 1.0) * 0.55
    : far.x + far.y < 1.0;
  if (!inside) discard;
  gl_FragColor = vec4(paint.rgb * paint.a, paint.a);
}`;

export class View {
  // Throws where the browser has no WebGL.
  constructor(canvas, points) {
    this.canvas = canvas;
    this.points = points;
    this.x = 0; this.y = 0; this.zoom = 1;
    const gl = this.gl = canvas.getContext("webgl", { antialias: false, alpha: true });
    if (!gl) throw new Error("no WebGL");
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error("no program");
    gl.useProgram(program);
    this.at = Object.fromEntries(["scale", "shift", "size"].map((name) => [name, gl.getUniformLocation(program, name)]));
    this.buffers = {};
    for (const [name, size, kind, even] of [["place", 2, gl.FLOAT, false], ["colour", 4, gl.UNSIGNED_BYTE, true], ["mark", 1, gl.UNSIGNED_BYTE, false]]) {
      const buffer = this.buffers[name] = gl.createBuffer(), place = gl.getAttribLocation(program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, kind, even, 0, 0);
    }
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.fill("place", points.place);
  }

  fill(name, values) {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.buffers[name]);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, values, this.gl.STATIC_DRAW);
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas, ratio = window.devicePixelRatio || 1;
    this.width = clientWidth; this.height = clientHeight;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    this.gl.viewport(0, 0, this.canvas.width, this.canvas.height);
  }

  // Pixels that one unit of the map takes.
  get pixels() { return 0.46 * Math.min(this.width, this.height) * this.zoom; }

  onScreen(x, y) { return [(x - this.x) * this.pixels + this.width / 2, this.height / 2 - (y - this.y) * this.pixels]; }

  onMap(left, top) { return [(left - this.width / 2) / this.pixels + this.x, (this.height / 2 - top) / this.pixels + this.y]; }

  move(pixelsRight, pixelsDown) {
    const inside = (value) => Math.max(-1.5, Math.min(1.5, value));
    this.x = inside(this.x - pixelsRight / this.pixels);
    this.y = inside(this.y + pixelsDown / this.pixels);
  }

  // Zoom by a factor; the place under the pointer stays where it is.
  zoomAt(factor, left = this.width / 2, top = this.height / 2) {
    const [x, y] = this.onMap(left, top);
    this.zoom = Math.max(0.7, Math.min(400, this.zoom * factor));
    const [newX, newY] = this.onMap(left, top);
    this.x += x - newX;
    this.y += y - newY;
  }

  // Outliers, which stand last, are drawn first: below the others.
  draw(outliers) {
    const gl = this.gl, n = this.points.count, scaleX = 2 * this.pixels / this.width, scaleY = 2 * this.pixels / this.height;
    const base = n > 20000 ? 2.4 : n > 3000 ? 3.6 : n > 500 ? 5.5 : 8;
    gl.uniform2f(this.at.scale, scaleX, scaleY);
    gl.uniform2f(this.at.shift, -this.x * scaleX, -this.y * scaleY);
    gl.uniform1f(this.at.size, Math.min(14, base * Math.max(1, this.zoom) ** 0.4) * (window.devicePixelRatio || 1));
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (outliers < n) gl.drawArrays(gl.POINTS, outliers, n - outliers);
    if (outliers > 0) gl.drawArrays(gl.POINTS, 0, outliers);
  }
}
