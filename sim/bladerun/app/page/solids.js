// Convex solids on the picture: their outlines by the points that lie furthest each way, shaded, as a shadow, as a ghost.

const LIGHT = [-0.35, 0.75]; // where light comes from on the page, right and up
const BLADE = "#0072b2"; // its edge, so that it is seen before whatever is dark
const ROUND = 28, SQUARE = 16; // points of an outline

export const rotate = ([w, x, y, z], [a, b, c]) => {
  const tx = 2 * (y * c - z * b), ty = 2 * (z * a - x * c), tz = 2 * (x * b - y * a);
  return [a + w * tx + y * tz - z * ty, b + w * ty + z * tx - x * tz, c + w * tz + x * ty - y * tx];
};
export const multiply = ([a, b, c, d], [e, f, g, h]) => [
  a * e - b * f - c * g - d * h, a * f + b * e + c * h - d * g,
  a * g - b * h + c * e + d * f, a * h + b * g - c * f + d * e,
];

const shade = (colour, factor) => `rgb(${colour.map((c) => Math.round(Math.min(255, c * factor))).join(",")})`;

/** The outline as seen against these two directions of the world: its furthest point in each direction between. */
function outline({ shape: { kind, size }, pos, quat }, right, up) {
  const back = [quat[0], -quat[1], -quat[2], -quat[3]], r = rotate(back, right), u = rotate(back, up);
  const count = kind === "box" ? SQUARE : ROUND;
  return Array.from({ length: count }, (_, i) => {
    const angle = (2 * Math.PI * (i + 0.5)) / count, c = Math.cos(angle), s = Math.sin(angle);
    const far = furthest(kind, size, [0, 1, 2].map((k) => c * r[k] + s * u[k]));
    return rotate(quat, far).map((x, k) => pos[k] + x);
  });
}

function furthest(kind, size, d) {
  if (kind === "box") return d.map((x, k) => Math.sign(x) * size[k]);
  if (kind === "capsule") return [size[0] * d[0], size[0] * d[1], size[0] * d[2] + Math.sign(d[2]) * size[1]];
  if (kind === "cylinder") {
    const around = Math.max(Math.hypot(d[0], d[1]), 1e-9);
    return [(size[0] * d[0]) / around, (size[0] * d[1]) / around, Math.sign(d[2]) * size[1]];
  }
  const radii = kind === "sphere" ? [size[0], size[0], size[0]] : size, length = Math.hypot(...d.map((x, k) => x * radii[k]));
  return d.map((x, k) => (radii[k] * radii[k] * x) / length);
}

function trace(pen, points) {
  points.forEach((p, i) => (i ? pen.lineTo(...p) : pen.moveTo(...p)));
  pen.closePath();
}

/** All of them in one colour. */
function flat(pen, solids, colour, points) {
  pen.beginPath();
  for (const solid of solids) trace(pen, points(solid));
  pen.fillStyle = colour;
  pen.fill();
}

/** The shadow on the ground, with the light straight above. */
export function drawShadow(pen, solids, { at }, colour) {
  flat(pen, solids, colour, (solid) => outline(solid, [1, 0, 0], [0, -1, 0]).map(([x, y]) => at([x, y, 0])));
}

/** All of them as one shape without a surface. */
export function drawGhost(pen, solids, { at, right, up }, colour) {
  flat(pen, solids, colour, (solid) => outline(solid, right, up).map(at));
}

/** The solids from back to front. */
export function drawSolids(pen, solids, camera) {
  const sorted = [...solids].sort((one, other) => camera.away(other.pos) - camera.away(one.pos));
  const blades = sorted.filter(({ shape }) => shape.blade);
  let edged = false;
  for (const solid of sorted) {
    if (solid.shape.blade && !edged) edged = edge(pen, blades, camera);
    drawSolid(pen, solid, camera);
  }
}

/** A line around all parts of the blade, below them. */
function edge(pen, blades, { at, right, up }) {
  pen.lineWidth = 4;
  pen.lineJoin = "round";
  pen.strokeStyle = BLADE;
  pen.beginPath();
  for (const solid of blades) trace(pen, outline(solid, right, up).map(at));
  pen.stroke();
  return true;
}

function drawSolid(pen, solid, { at, scale, right, up }) {
  const { shape: { kind, size, colour }, pos, quat } = solid;
  if (kind === "capsule" || kind === "sphere") {
    const half = kind === "capsule" ? rotate(quat, [0, 0, size[1]]) : [0, 0, 0];
    const [a, b] = [-1, 1].map((s) => at(pos.map((x, k) => x + s * half[k])));
    const wide = 2 * size[0] * scale(pos);
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
  const points = outline(solid, right, up).map(at), [x, y] = at(pos);
  let fill = shade(colour, 0.95);
  if (kind === "ellipsoid") {
    const reach = Math.max(...points.map((p) => Math.hypot(p[0] - x, p[1] - y))) + 0.01;
    fill = pen.createRadialGradient(x + reach * LIGHT[0] * 0.6, y - reach * LIGHT[1] * 0.5, 0, x, y, reach * 1.1);
    fill.addColorStop(0, shade(colour, 1.08));
    fill.addColorStop(1, shade(colour, 0.76));
  }
  pen.beginPath();
  trace(pen, points);
  pen.fillStyle = fill;
  pen.fill();
}
