// The runner on a canvas: convex solids from back to front, seen from far away. Positions in metres, in the frame
// that runs along; x forward, y left, z up.

const VIEWS = { side: [0, 9], behind: [90, 9], front: [-90, 9], above: [0, 89] };
const FORCE_M = 0.42; // length of one body weight
const LIGHT = [-0.35, 0.75]; // where light comes from on the page, right and up
const GROUND = "#d9d3cc", LINE = "#ffffff", INK = "#1c2733", SPOT = "#0072b2", FORCE = "#b04a00";

const decode = (text) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Float32Array(bytes.buffer);
};

/** A scene as the server sends it, its tables decoded. */
export function unpack(scene) {
  const open = {};
  for (const name of ["bodies", "force", "pressure", "com", "energy"]) open[name] = decode(scene[name]);
  return { ...scene, ...open };
}

const rotate = ([w, x, y, z], [a, b, c]) => {
  const tx = 2 * (y * c - z * b), ty = 2 * (z * a - x * c), tz = 2 * (x * b - y * a);
  return [a + w * tx + y * tz - z * ty, b + w * ty + z * tx - x * tz, c + w * tz + x * ty - y * tx];
};
const multiply = ([a, b, c, d], [e, f, g, h]) => [
  a * e - b * f - c * g - d * h, a * f + b * e + c * h - d * g,
  a * g - b * h + c * e + d * f, a * h + b * g - c * f + d * e,
];

/** Values of one frame of a table of `width` columns, straight between frames. */
function between(table, width, frame, frames) {
  const i = Math.floor(frame) % frames, j = (i + 1) % frames, part = frame - Math.floor(frame);
  const out = new Array(width);
  for (let k = 0; k < width; k++) out[k] = (1 - part) * table[i * width + k] + part * table[j * width + k];
  return out;
}

function poses(scene, frame) {
  const { parts, frames, bodies } = scene;
  const i = Math.floor(frame) % frames, j = (i + 1) % frames, part = frame - Math.floor(frame);
  const found = [];
  for (let p = 0; p < parts; p++) {
    const a = bodies.subarray((i * parts + p) * 7, (i * parts + p) * 7 + 7);
    const b = bodies.subarray((j * parts + p) * 7, (j * parts + p) * 7 + 7);
    const sign = a[3] * b[3] + a[4] * b[4] + a[5] * b[5] + a[6] * b[6] < 0 ? -1 : 1;
    const mix = (k, s = 1) => (1 - part) * a[k] + part * s * b[k];
    const quat = [mix(3, sign), mix(4, sign), mix(5, sign), mix(6, sign)];
    const length = Math.hypot(...quat);
    found.push({ pos: [mix(0), mix(1), mix(2)], quat: quat.map((q) => q / length) });
  }
  return found;
}

const shade = (colour, factor) => `rgb(${colour.map((c) => Math.round(Math.min(255, c * factor))).join(",")})`;

/** Draw a scene at a frame (0 to frames). view: a name of VIEWS; turn: degrees added by hand. */
export function draw(canvas, scene, frame, view, turn, speed) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width || !height) return;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  if (!scene) return;
  const [azimuth, tilt] = VIEWS[view];
  const flip = scene.side === "left" && (view === "side" || view === "above") ? 180 : 0; // the blade's side is near
  const a = ((azimuth + turn + (view === "above" ? 0 : flip)) * Math.PI) / 180, e = (tilt * Math.PI) / 180;
  const right = [Math.cos(a), -Math.sin(a), 0];
  const towards = [-Math.sin(a) * Math.cos(e), -Math.cos(a) * Math.cos(e), Math.sin(e)]; // to the eye
  const up = [Math.sin(a) * Math.sin(e), Math.cos(a) * Math.sin(e), Math.cos(e)];
  const dot = (u, v) => u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
  const scale = Math.min(height / 2.14, width / 1.9);
  const middle = view === "above" ? [0, 0, 0] : [0, 0, 0.9];
  const at = (p) => [
    width / 2 + scale * (dot(right, p) - dot(right, middle)),
    height / 2 - scale * (dot(up, p) - dot(up, middle)),
  ];

  const path = (points) => {
    pen.beginPath();
    points.forEach((p, i) => (i ? pen.lineTo(...p) : pen.moveTo(...p)));
    pen.closePath();
  };
  const line = (p, q, colour, wide, dash = []) => {
    pen.beginPath();
    pen.setLineDash(dash);
    pen.moveTo(...at(p));
    pen.lineTo(...at(q));
    pen.strokeStyle = colour;
    pen.lineWidth = wide;
    pen.stroke();
    pen.setLineDash([]);
  };

  const period = scene.times[0], moved = ((frame / scene.frames) * period * speed) % 1;
  path([[-6, -0.61, 0], [6, -0.61, 0], [6, 0.61, 0], [-6, 0.61, 0]].map(at));
  pen.fillStyle = GROUND;
  pen.fill();
  for (const side of [-0.61, 0.61]) line([-6, side, 0], [6, side, 0], LINE, 2);
  for (let k = -6; k <= 6; k++) line([k - moved, -0.61, 0], [k - moved, 0.61, 0], LINE, 1.5);

  const com = between(scene.com, 3, frame, scene.frames);
  path([[-0.03, -0.2], [0.03, -0.2], [0.03, 0.2], [-0.03, 0.2]].map(([x, y]) => at([com[0] + x, com[1] + y, 0])));
  pen.fillStyle = SPOT;
  pen.globalAlpha = 0.45;
  pen.fill();
  pen.globalAlpha = 1;

  const places = poses(scene, frame);
  const solids = scene.shapes.map((shape) => {
    const { pos, quat } = places[shape.part];
    const local = rotate(quat, shape.place);
    return { shape, pos: [pos[0] + local[0], pos[1] + local[1], pos[2] + local[2]], quat: multiply(quat, shape.place.slice(3)) };
  });
  solids.sort((one, other) => dot(towards, one.pos) - dot(towards, other.pos));
  for (const solid of solids) paint(pen, solid, { at, right, up, scale });

  line([com[0], com[1], com[2]], [com[0], com[1], 0], INK, 1.2, [4, 4]);
  pen.beginPath();
  pen.arc(...at(com), 5, 0, 7);
  pen.fillStyle = "#fff";
  pen.fill();
  pen.strokeStyle = INK;
  pen.lineWidth = 2;
  pen.stroke();
  const force = between(scene.force, 6, frame, scene.frames);
  const pressure = between(scene.pressure, 4, frame, scene.frames);
  for (let side = 0; side < 2; side++) {
    const f = force.slice(3 * side, 3 * side + 3);
    if (f[2] < 0.06) continue;
    const foot = [pressure[2 * side], pressure[2 * side + 1], 0];
    arrow(pen, at(foot), at(foot.map((x, k) => x + FORCE_M * f[k])), FORCE);
    line(foot, [com[0], com[1], 0], SPOT, 3);
    pen.beginPath();
    pen.arc(...at(foot), 4.5, 0, 7);
    pen.fillStyle = FORCE;
    pen.fill();
    const ahead = Math.round(1000 * (foot[0] - com[0])), [x, y] = at(foot);
    pen.fillStyle = INK;
    pen.font = "600 12px system-ui, 'DejaVu Sans', sans-serif";
    pen.fillText(`${Math.abs(ahead)} mm ${ahead < 0 ? "behind" : "ahead"}`, x + 10, Math.min(y + 15, height - 4));
  }
}

function paint(pen, { shape, pos, quat }, { at, right, up, scale }) {
  const { kind, size, colour } = shape;
  if (kind === "capsule" || kind === "sphere") {
    const half = kind === "capsule" ? rotate(quat, [0, 0, size[1]]) : [0, 0, 0];
    const [a, b] = [-1, 1].map((s) => at(pos.map((x, k) => x + s * half[k])));
    const wide = 2 * size[0] * scale;
    const stroke = (width, style, shift) => {
      pen.beginPath();
      pen.lineCap = "round";
      pen.lineWidth = width;
      pen.strokeStyle = style;
      pen.moveTo(a[0] + shift * LIGHT[0], a[1] - shift * LIGHT[1]);
      pen.lineTo(b[0] + shift * LIGHT[0] + 0.01, b[1] - shift * LIGHT[1]);
      pen.stroke();
    };
    stroke(wide, shade(colour, 0.78), 0);
    stroke(wide * 0.72, shade(colour, 0.95), wide * 0.08);
    stroke(wide * 0.3, shade(colour, 1.08), wide * 0.15);
    pen.lineCap = "butt";
    return;
  }
  const back = [quat[0], -quat[1], -quat[2], -quat[3]];
  const r = rotate(back, right), u = rotate(back, up);
  const points = [];
  const count = kind === "box" ? 16 : 28;
  for (let i = 0; i < count; i++) {
    const angle = (2 * Math.PI * (i + 0.5)) / count, c = Math.cos(angle), s = Math.sin(angle);
    const d = [0, 1, 2].map((k) => c * r[k] + s * u[k]);
    let far;
    if (kind === "box") far = d.map((x, k) => Math.sign(x) * size[k]);
    else if (kind === "cylinder") {
      const around = Math.max(Math.hypot(d[0], d[1]), 1e-9);
      far = [(size[0] * d[0]) / around, (size[0] * d[1]) / around, Math.sign(d[2]) * size[1]];
    } else {
      const length = Math.hypot(...d.map((x, k) => x * size[k]));
      far = d.map((x, k) => (size[k] * size[k] * x) / length);
    }
    const world = rotate(quat, far);
    points.push(at(pos.map((x, k) => x + world[k])));
  }
  const [x, y] = at(pos);
  let fill = shade(colour, 0.95);
  if (kind === "ellipsoid") {
    const reach = Math.max(...points.map((p) => Math.hypot(p[0] - x, p[1] - y))) + 0.01;
    fill = pen.createRadialGradient(x + reach * LIGHT[0] * 0.6, y - reach * LIGHT[1] * 0.5, 0, x, y, reach * 1.1);
    fill.addColorStop(0, shade(colour, 1.08));
    fill.addColorStop(1, shade(colour, 0.76));
  }
  pen.beginPath();
  points.forEach((p, i) => (i ? pen.lineTo(...p) : pen.moveTo(...p)));
  pen.closePath();
  pen.fillStyle = fill;
  pen.fill();
}

function arrow(pen, from, to, colour) {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  if (length < 6) return;
  const [x, y] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
  const head = Math.min(14, length * 0.5), neck = [to[0] - head * x, to[1] - head * y];
  pen.strokeStyle = pen.fillStyle = colour;
  pen.lineWidth = 4.5;
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(...neck);
  pen.stroke();
  pen.beginPath();
  pen.moveTo(...to);
  pen.lineTo(neck[0] - 0.55 * head * y, neck[1] + 0.55 * head * x);
  pen.lineTo(neck[0] + 0.55 * head * y, neck[1] - 0.55 * head * x);
  pen.fill();
}
