// Every number over every slider, the other sliders as worn today: one chosen number under the sliders, all of them in
// a table of small charts. Ring: worn today; upright line and dot: where the slider stands.

import { drawing, html, short, svg } from "./drawn.js";
import { kind } from "./form.js";

const INK = "#1c2733", CURVE = "#0072b2", UNKNOWN = "#bcd9ea", MATTERS = "#7a858f";
const AXES = ["category", "height_mm", "toe_out_deg", "speed_m_s"];
const TITLES = { category: "Category", height_mm: "Height", toe_out_deg: "Toe-out", speed_m_s: "Speed" };
const UNITS = { category: "", height_mm: "mm", toe_out_deg: "°", speed_m_s: "m/s" };
const LEFT = 40, RIGHT = 10, TOP = 7, BOTTOM = 15;

/** The unit shown for one of the program's, and how many of the program's are one of it. */
const shownIn = (unit) => (unit === "mm" ? kind("small") : [unit, 1]);
const withUnit = (text, unit) => (unit === "°" || !unit ? `${text}${unit}` : `${text} ${unit}`);

/** As many decimals as tell the ends of a scale apart. */
const decimals = (low, high) => Math.max(0, Math.min(3, 1 - Math.floor(Math.log10((high - low) || 1))));
const plainly = (value, unit) => {
  const [word, size] = shownIn(unit);
  return withUnit(String(Number((value / size).toFixed(2))).replace("-", "−"), word);
};

function between({ x, y }, at) {
  const k = x.findIndex((value) => value >= at - 1e-9);
  if (k < 0 || at < x[0] - 1e-9) return null;
  if (k === 0 || Math.abs(x[k] - at) < 1e-9) return y[k];
  return y[k - 1] + ((y[k] - y[k - 1]) * (at - x[k - 1])) / (x[k] - x[k - 1]);
}

/** The ends of the upright scale: all there is to draw, and never so narrow that what hardly matters fills it. */
function scale({ curves, matters, today }) {
  const values = curves.flatMap(({ y, low, high }) => [...y, ...low, ...high]).filter((v) => v !== null);
  const least = matters ? 1.5 * matters : 0;
  const low = Math.min(...values, today - least), high = Math.max(...values, today + least);
  return high > low ? [low, high] : [low - 1, high + 1];
}

/** One chart, and `move`, which puts the slider's mark elsewhere. */
function chart(row, axis, middle, width, height) {
  const curve = row.axes[axis], [unit, size] = shownIn(row.unit), home = middle[AXES.indexOf(axis)];
  const today = between(curve, home), [low, high] = scale({ curves: Object.values(row.axes), matters: row.matters, today });
  const picture = drawing(width, height, ""), ends = [curve.x[0], curve.x.at(-1)];
  const x = (v) => LEFT + ((width - LEFT - RIGHT) * (v - ends[0])) / (ends[1] - ends[0] || 1);
  const y = (v) => TOP + ((height - TOP - BOTTOM) * (high - v)) / (high - low);
  const path = (xs, ys) => xs.map((v, k) => `${k ? "L" : "M"}${x(v).toFixed(1)} ${y(ys[k]).toFixed(1)}`).join("");
  const known = curve.x.filter((_, k) => curve.low[k] !== null && curve.high[k] !== null);
  const of = (values) => values.filter((_, k) => curve.low[k] !== null && curve.high[k] !== null);
  if (known.length === 1) picture.append(svg("line", { x1: x(known[0]), x2: x(known[0]), y1: y(of(curve.low)[0]), y2: y(of(curve.high)[0]), stroke: UNKNOWN, "stroke-width": 12 }));
  if (known.length > 1) picture.append(svg("path", { d: `${path([...known, ...[...known].reverse()], [...of(curve.high), ...of(curve.low).reverse()])}Z`, fill: UNKNOWN }));
  for (const edge of row.matters ? [today - row.matters, today + row.matters] : []) {
    picture.append(svg("line", { x1: LEFT, x2: width - RIGHT, y1: y(edge), y2: y(edge), stroke: MATTERS, "stroke-dasharray": "1 3" }));
  }
  picture.append(svg("path", { d: path(curve.x, curve.y), fill: "none", stroke: CURVE, "stroke-width": 2 }));
  curve.x.forEach((v, k) => picture.append(svg("circle", { cx: x(v), cy: y(curve.y[k]), r: 2, fill: CURVE })));
  picture.append(svg("circle", { cx: x(home), cy: y(today), r: 4.5, fill: "#fff", stroke: INK, "stroke-width": 1.5 }));
  const digits = decimals(low / size, high / size);
  picture.append(svg("text", { x: LEFT - 5, y: TOP + 6, "text-anchor": "end" }, short(high / size, digits)));
  picture.append(svg("text", { x: LEFT - 5, y: height - BOTTOM, "text-anchor": "end" }, short(low / size, digits)));
  ends.forEach((v, i) => picture.append(svg("text", { x: x(v) + (i ? RIGHT : -RIGHT), y: height - 2, "text-anchor": i ? "end" : "start" }, plainly(v, UNITS[axis]))));
  const line = svg("line", { y1: TOP - 4, y2: height - BOTTOM, stroke: INK, "stroke-width": 1.5 }), dot = svg("circle", { r: 3.5, fill: INK });
  picture.append(line, dot);
  const told = (v) => withUnit(short(v / size, digits), unit);
  const move = (at) => {
    const value = between(curve, at), outside = value === null;
    for (const mark of [line, dot]) mark.setAttribute("visibility", outside ? "hidden" : "visible");
    picture.setAttribute("aria-label", `${row.title} over ${TITLES[axis].toLowerCase()}: ` +
      `${curve.x.map((v, k) => `${told(curve.y[k])} at ${plainly(v, UNITS[axis])}`).join(", ")}; worn today ${plainly(home, UNITS[axis])}` +
      (outside ? "" : `; where the slider stands, ${plainly(at, UNITS[axis])}, about ${told(value)}`));
    if (outside) return;
    for (const [key, v] of [["x1", at], ["x2", at]]) line.setAttribute(key, x(v));
    dot.setAttribute("cx", x(at));
    dot.setAttribute("cy", y(value));
  };
  return { picture, move };
}

let movers = [], last = null;

/** Put the slider's mark in every chart where it stands. */
export const moveMarks = (point) => movers.forEach(([axis, move]) => move(point[AXES.indexOf(axis)]));

/** Draw what is known. chosen: the select of the number under the sliders; under: by slider, where its chart stands. */
export function showCurves(rows, middle, point, { chosen, under, table }) {
  last = { rows, middle, places: { chosen, under, table } };
  movers = [];
  if (chosen.options.length !== rows.length) {
    chosen.replaceChildren(...rows.map((row, i) => Object.assign(html("option", "", row.title), { value: String(i) })));
    chosen.value = String(Math.max(0, rows.findIndex((row) => row.title.startsWith("Hip higher"))));
  }
  chosen.disabled = !rows.length;
  const drawn = (row, axis, width, height) => {
    if (row.axes[axis].x.length < 2) return null;
    const { picture, move } = chart(row, axis, middle, width, height);
    movers.push([axis, move]);
    return picture;
  };
  for (const axis of AXES) under[axis].replaceChildren(...(rows.length ? [drawn(rows[Number(chosen.value)], axis, 270, 66)] : []).filter(Boolean));
  table.hidden = !rows.some((row) => AXES.some((axis) => row.axes[axis].x.length > 1));
  const head = html("tr"), body = html("tbody");
  for (const word of ["Number", ...AXES.map((axis) => TITLES[axis])]) head.append(Object.assign(html("th", "", word), { scope: "col" }));
  for (const row of rows) {
    const line = html("tr"), [unit] = shownIn(row.unit);
    line.append(Object.assign(html("th", "", unit ? `${row.title}, ${unit}` : row.title), { scope: "row" }));
    for (const axis of AXES) {
      const cell = html("td");
      cell.append(drawn(row, axis, 250, 62) || html("small", "", "not solved yet"));
      line.append(cell);
    }
    body.append(line);
  }
  const grid = table.querySelector("table"), top = html("thead");
  top.append(head);
  grid.replaceChildren(top, body);
  moveMarks(point);
}

/** The same again, after other units or another number were chosen. */
export const redrawCurves = (point) => last && showCurves(last.rows, last.middle, point, last.places);
