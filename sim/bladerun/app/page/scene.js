// The runner on a canvas, in the frame that runs along; positions in metres, x forward, y left, z up.

import { camera } from "./camera.js";
import { drawGhost, drawShadow, drawSolids, multiply, rotate } from "./solids.js";
import { drawTrack } from "./track.js";

const FORCE_M = 0.42; // length of one body weight
const INK = "#1c2733", SPOT = "#0072b2", FORCE = "#b04a00", SHADOW = "rgb(45 30 25 / 26%)", GHOST = "#8d6cc4";

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

/** Values of one frame of a table of `width` columns, straight between frames. */
function between(table, width, frame, frames) {
  const i = Math.floor(frame) % frames, j = (i + 1) % frames, part = frame - Math.floor(frame);
  const out = new Array(width);
  for (let k = 0; k < width; k++) out[k] = (1 - part) * table[i * width + k] + part * table[j * width + k];
  return out;
}

/** Straight on from one pose to another, `times` as far. */
function towards(a, b, times) {
  const sign = a[3] * b[3] + a[4] * b[4] + a[5] * b[5] + a[6] * b[6] < 0 ? -1 : 1;
  const mixed = Array.from(a, (x, k) => (1 - times) * x + times * (k < 3 ? 1 : sign) * b[k]);
  const length = Math.hypot(...mixed.slice(3));
  return mixed.map((x, k) => (k < 3 ? x : x / length));
}

/** Place and quaternion of each part. */
function poses({ parts, frames, bodies }, frame) {
  const i = Math.floor(frame) % frames, j = (i + 1) % frames, part = frame - Math.floor(frame);
  const row = (k, p) => bodies.subarray((k * parts + p) * 7, (k * parts + p) * 7 + 7);
  return Array.from({ length: parts }, (_, p) => towards(row(i, p), row(j, p), part));
}

const placed = (shapes, found) => shapes.map((shape) => {
  const pose = found[shape.part], quat = pose.slice(3), local = rotate(quat, shape.place);
  return { shape, pos: local.map((x, k) => x + pose[k]), quat: multiply(quat, shape.place.slice(3)) };
});

/** The canvas as sharp as the screen, empty. Null where it is not seen. */
function pencil(canvas) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width || !height) return null;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}

/**
 * Draw a scene at a frame (0 to frames). view: by name, as of camera.js; turn: degrees added by hand; ahead: how far
 * was run, m. ghost: the scene of another fitting, its frame, and how many times its difference is drawn.
 */
export function draw(canvas, scene, { frame, view, turn = 0, ahead = 0, ghost = null }) {
  const { pen, width, height } = pencil(canvas) || {};
  if (!pen || !scene) return;
  const flip = scene.side === "left" && view === "side" ? 180 : 0; // the blade's side is near
  const eye = camera(width, height, view, turn + flip);
  const found = poses(scene, frame), solids = placed(scene.shapes, found);
  const com = between(scene.com, 3, frame, scene.frames);
  drawTrack(pen, eye, width, height, ahead);
  drawShadow(pen, solids, eye, SHADOW);
  spot(pen, eye, com);
  if (ghost) {
    const other = poses(ghost.scene, ghost.frame);
    drawGhost(pen, placed(ghost.scene.shapes, found.map((pose, p) => towards(pose, other[p], ghost.times))), eye, GHOST);
  }
  drawSolids(pen, solids, eye);
  drawBalance(pen, eye, com);
  const force = between(scene.force, 6, frame, scene.frames), pressure = between(scene.pressure, 4, frame, scene.frames);
  for (let side = 0; side < 2; side++) {
    const f = force.slice(3 * side, 3 * side + 3);
    if (f[2] >= 0.06) drawPush(pen, eye, com, f, [pressure[2 * side], pressure[2 * side + 1], 0], height);
  }
}

function line(pen, { at }, p, q, colour, wide, dash = []) {
  pen.beginPath();
  pen.setLineDash(dash);
  pen.moveTo(...at(p));
  pen.lineTo(...at(q));
  pen.strokeStyle = colour;
  pen.lineWidth = wide;
  pen.stroke();
  pen.setLineDash([]);
}

function disc(pen, { at }, p, radius, fill) {
  pen.beginPath();
  pen.arc(...at(p), radius, 0, 7);
  pen.fillStyle = fill;
  pen.fill();
}

/** Where the ground is below the body's centre of mass. */
function spot(pen, { at }, com) {
  const corners = [[-0.03, -0.2], [0.03, -0.2], [0.03, 0.2], [-0.03, 0.2]];
  pen.beginPath();
  corners.forEach(([x, y], i) => pen[i ? "lineTo" : "moveTo"](...at([com[0] + x, com[1] + y, 0])));
  pen.fillStyle = SPOT;
  pen.globalAlpha = 0.45;
  pen.fill();
  pen.globalAlpha = 1;
}

/** The body's centre of mass, and its plumb line. */
function drawBalance(pen, eye, com) {
  line(pen, eye, com, [com[0], com[1], 0], INK, 1.2, [4, 4]);
  disc(pen, eye, com, 5, "#fff");
  pen.strokeStyle = INK;
  pen.lineWidth = 2;
  pen.stroke();
}

/** The force under a foot, and how far that is ahead of the body. */
function drawPush(pen, eye, com, force, foot, height) {
  arrow(pen, eye.at(foot), eye.at(foot.map((x, k) => x + FORCE_M * force[k])), FORCE);
  line(pen, eye, foot, [com[0], com[1], 0], SPOT, 3);
  disc(pen, eye, foot, 4.5, FORCE);
  const ahead = Math.round(1000 * (foot[0] - com[0])), [x, y] = eye.at(foot);
  pen.font = "600 13px system-ui, 'DejaVu Sans', sans-serif";
  pen.lineWidth = 3;
  pen.strokeStyle = "#fff";
  pen.fillStyle = INK;
  for (const write of ["strokeText", "fillText"]) pen[write](`${Math.abs(ahead)} mm ${ahead < 0 ? "behind" : "ahead"}`, x + 10, Math.min(y + 16, height - 4));
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
