// Marks on the film: moments on frames, points and a known length on pictures, with the crosshair that sets them.
// Positions are in the film's own pixels, right and down.

import { html } from "./drawn.js";

const NAMES = { hip: "Hip", knee: "Knee", ankle: "Ankle", ground: "Where it meets the ground", shoulder: "Shoulder",
  psis: "PSIS", sole_rear: "Sole, rear", sole_front: "Sole, front", tip: "Tip of the blade" };
const POINTS = {
  side: ["hip", "knee", "ankle", "ground", "shoulder"],
  behind: ["psis", "sole_rear", "sole_front", "knee", "tip"],
};
const COLOUR = { right: "#0072b2", left: "#d55e00" };
const LOUPE = 4, LOUPE_PX = 62;
const $ = (id) => document.getElementById(id);

let events = [], points = [], ends = [], order = [], cross = null, chosen = "", changed = () => {}, shownFrame = () => 0;

export const marksOf = () => {
  const mm = Number($("film-mm").value.replace(",", "."));
  const length = ends.length === 2 && mm > 0
    ? { mm, from_x: ends[0].x, from_y: ends[0].y, to_x: ends[1].x, to_y: ends[1].y } : undefined;
  return { events, points, ...(length && { length }) };
};
export const eventsOf = (leg) => events.filter((one) => one.leg === leg).sort((a, b) => a.frame - b.frame);

export function forget() {
  events = [];
  points = [];
  ends = [];
  order = [];
  cross = null;
  tell();
}

const leg = () => $("film-leg").value;

/** The buttons for what can be marked in this view; blade: the leg that wears one, whose clamp is its ankle. */
export function listed(blade) {
  const view = $("film-view").value, box = $("film-points");
  const name = (point) => (point === "ankle" && leg() === blade ? "Clamp of the blade" : NAMES[point]);
  const known = [["length", "Known length, two ends"], ...POINTS[view].map((point) => [point, name(point)])];
  if (!known.some(([point]) => point === chosen)) chosen = ends.length < 2 ? "length" : POINTS[view][0];
  box.replaceChildren(...known.map(([point, text]) => {
    const button = Object.assign(html("button", "", text), { type: "button" });
    button.dataset.point = point;
    button.setAttribute("aria-pressed", String(point === chosen));
    button.addEventListener("click", () => choose(point));
    return button;
  }));
}

function choose(point) {
  chosen = point;
  for (const button of $("film-points").children) button.setAttribute("aria-pressed", String(button.dataset.point === point));
}

/** A moment of the chosen leg on a frame; the same again takes it away. */
export function mark(event, frame) {
  const same = (one) => one.leg === leg() && one.event === event && one.frame === frame;
  const before = events.length;
  events = events.filter((one) => !same(one));
  if (events.length === before) events.push({ leg: leg(), event, frame });
  order.push("event");
  tell();
}

/** Move the crosshair there, or by so much where `film` is given. */
export function pointAt([x, y], film) {
  const from = cross || (film && { x: film.videoWidth / 2, y: film.videoHeight / 2 });
  cross = film ? { x: from.x + x, y: from.y + y } : { x, y };
  if (film) cross = { x: Math.min(film.videoWidth, Math.max(0, cross.x)), y: Math.min(film.videoHeight, Math.max(0, cross.y)) };
}

/** Set the chosen point there, or at the crosshair. */
export function reach(place, frame) {
  if (place) pointAt(place);
  if (!cross) return;
  const { x, y } = { x: Number(cross.x.toFixed(1)), y: Number(cross.y.toFixed(1)) };
  if (chosen === "length") {
    ends = ends.length === 2 ? [{ x, y }] : [...ends, { x, y }];
    if (ends.length === 2) next();
  } else {
    points = points.filter((one) => !(one.leg === leg() && one.point === chosen && one.frame === frame));
    points.push({ leg: leg(), point: chosen, frame, x, y });
    order.push("point");
    if (chosen === "psis") $("film-leg").value = leg() === "left" ? "right" : "left"; // the other one comes next
    else next();
  }
  tell();
}

function next() {
  const buttons = [...$("film-points").children].map((one) => one.dataset.point);
  choose(buttons[buttons.indexOf(chosen) + 1] || buttons[1]);
}

function undo() {
  const last = order.pop();
  if (last === "event") events = events.slice(0, -1);
  if (last === "point") points = points.slice(0, -1);
  tell();
}

/** The list of marks, newest frame last, each with a way to it and one to take it away. */
function tell() {
  const all = [...events.map((one) => ({ ...one, text: one.event === "touchdown" ? "Touchdown" : "Toe-off", from: events })),
    ...points.map((one) => ({ ...one, text: NAMES[one.point], from: points }))].sort((a, b) => a.frame - b.frame);
  $("film-list").replaceChildren(...all.map((one) => {
    const item = html("li"), go = Object.assign(html("button", "", `${one.frame}: ${one.text}, ${one.leg}`), { type: "button" });
    const away = Object.assign(html("button", "", "×"), { type: "button" });
    go.dataset.frame = String(one.frame);
    away.setAttribute("aria-label", `Remove ${one.text}, ${one.leg}, frame ${one.frame}`);
    away.addEventListener("click", () => {
      const stays = (other) => !(other.leg === one.leg && other.frame === one.frame && other.event === one.event && other.point === one.point);
      if (one.event) events = events.filter(stays);
      else points = points.filter(stays);
      order = order.filter((kind, i) => i !== order.lastIndexOf(one.event ? "event" : "point"));
      tell();
    });
    item.append(go, away);
    return item;
  }));
  $("film-none").hidden = all.length > 0;
  $("film-ends").textContent = ends.length === 2 ? "marked" : ends.length ? "mark its other end" : "not marked yet";
  $("film-undo").disabled = !order.length;
  changed();
}

/** How the film lies in its canvas, which is as large. */
function placed(canvas, film) {
  const scale = Math.min(canvas.clientWidth / film.videoWidth, canvas.clientHeight / film.videoHeight) || 1;
  return { scale, left: (canvas.clientWidth - scale * film.videoWidth) / 2, top: (canvas.clientHeight - scale * film.videoHeight) / 2 };
}

/** Where on the film a pointer is. */
export function within(canvas, film, event) {
  const { scale, left, top } = placed(canvas, film), box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left - left) / scale, (event.clientY - box.top - top) / scale];
}

export function paintMarks(canvas, film, frame) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width || !film.videoWidth) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d"), { scale, left, top } = placed(canvas, film);
  const at = ({ x, y }) => [left + scale * x, top + scale * y];
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  const ring = (place, colour) => {
    for (const [style, wide] of [["#fff", 5], [colour, 2.5]]) {
      pen.beginPath();
      pen.arc(...at(place), 6, 0, 7);
      pen.strokeStyle = style;
      pen.lineWidth = wide;
      pen.stroke();
    }
  };
  const stroke = (from, to, colour, wide) => {
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(...to);
    pen.strokeStyle = colour;
    pen.lineWidth = wide;
    pen.stroke();
  };
  if (ends.length === 2) for (const [colour, wide] of [["#1c2733", 5], ["#f0e442", 2]]) stroke(at(ends[0]), at(ends[1]), colour, wide);
  else if (ends.length) ring(ends[0], "#1c2733");
  for (const side of ["left", "right"]) {
    const here = points.filter((one) => one.leg === side && one.frame === frame);
    const chain = ["shoulder", "hip", "knee", "ankle"].map((name) => here.find((one) => one.point === name)).filter(Boolean);
    chain.slice(1).forEach((one, i) => stroke(at(chain[i]), at(one), COLOUR[side], 2));
    for (const one of here) ring(one, COLOUR[side]);
  }
  for (const [i, one] of events.filter((each) => each.frame === frame).entries()) {
    pen.font = "600 14px system-ui, 'DejaVu Sans', sans-serif";
    const text = `${one.event}, ${one.leg}`;
    pen.fillStyle = "#fff";
    pen.fillRect(8, height - 30 - 24 * i, pen.measureText(text).width + 12, 22);
    pen.fillStyle = "#1c2733";
    pen.fillText(text, 14, height - 14 - 24 * i);
  }
  if (!cross) return;
  const [x, y] = at(cross);
  for (const [colour, wide] of [["#fff", 3], ["#1c2733", 1]]) {
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) stroke([x + 4 * dx, y + 4 * dy], [x + 15 * dx, y + 15 * dy], colour, wide);
  }
  loupe(pen, film, cross, x < width / 2 ? width - 2 * LOUPE_PX - 8 : 8, scale);
}

/** The film around the crosshair, larger, in the corner away from it. */
function loupe(pen, film, { x, y }, left, scale) {
  const half = LOUPE_PX / (LOUPE * scale), middle = [left + LOUPE_PX, 8 + LOUPE_PX];
  pen.save();
  pen.beginPath();
  pen.arc(...middle, LOUPE_PX, 0, 7);
  pen.fillStyle = "#1c2733";
  pen.fill();
  pen.clip();
  pen.drawImage(film, x - half, y - half, 2 * half, 2 * half, left, 8, 2 * LOUPE_PX, 2 * LOUPE_PX);
  pen.strokeStyle = "#f0e442";
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(middle[0] - LOUPE_PX, middle[1]);
  pen.lineTo(middle[0] + LOUPE_PX, middle[1]);
  pen.moveTo(middle[0], middle[1] - LOUPE_PX);
  pen.lineTo(middle[0], middle[1] + LOUPE_PX);
  pen.stroke();
  pen.restore();
}

export function start(onChange, frameOf) {
  changed = onChange;
  shownFrame = frameOf;
  for (const button of document.querySelectorAll("[data-film-event]")) {
    button.addEventListener("click", () => mark(button.dataset.filmEvent, shownFrame()));
  }
  $("film-undo").addEventListener("click", undo);
  $("film-mm").addEventListener("input", () => changed());
  $("film-leg").addEventListener("change", () => listed($("side").value));
}
