// The answer: which one change to try first, or to keep what is worn; and where the blade may land.

import { drawing, html, short, svg } from "./drawn.js";

const INK = "#1c2733", RECOIL = "#b04a00", WINDOW = "#d5e8dc", LINE = "#b9c2ca";

/** Fill the card of the answer. look: called with the point of the change to try, to show it. */
export function showAnswer(parent, first, look) {
  const { title, setting, change, why, seen, then, doubts, note, point } = first;
  const made = [html("h2", "", title || "What to try first")];
  if (change) made.push(html("p", "word", change));
  if (setting) made.push(html("p", change ? "say" : "word", setting));
  made.push(html("p", "say", why));
  if (seen) made.push(html("p", "say", seen));
  if (then) made.push(html("p", "say", then));
  for (const doubt of doubts || []) made.push(html("p", "legend", `Not confirmed by validation: ${doubt}.`));
  if (note) made.push(html("p", "legend", note));
  if (point) {
    const button = Object.assign(html("button", "", "Look at this change"), { type: "button" });
    button.addEventListener("click", () => look(point));
    made.push(button);
  }
  parent.replaceChildren(...made);
}

/** Fill the card of the window of landings. */
export function showWindow(parent, given) {
  const made = [html("h2", "", "Where the blade may land")];
  if (!given.words) {
    const text = given.total ? `Being computed: ${given.done} landings are solved.` : "Being computed once the answer is known.";
    parent.replaceChildren(...made, html("p", "say", text));
    return;
  }
  const whose = given.fitting === "today" ? "On the fitting worn today." : "On the fitting to try.";
  made.push(html("p", "say", given.words), landings(given));
  made.push(html("p", "legend", `${whose} Black: cost of running, J/kg/m; orange dashes: recoil above the horizontal, °; green: the window; dotted: where this runner lands. Untested: never measured in running with a blade.`));
  parent.replaceChildren(...made);
}

function landings({ words, closer, further, shift, cost, recoil }) {
  const width = 372, height = 150, left = 34, right = 26, top = 18, bottom = 30;
  const picture = drawing(width, height, words);
  const x = (v) => left + ((width - left - right) * (v - shift[0])) / (shift.at(-1) - shift[0] || 1);
  const upright = (values) => {
    const low = Math.min(...values), room = 0.08 * (Math.max(...values) - low) || 1, high = Math.max(...values) + room;
    return { y: (v) => top + ((height - top - bottom) * (high - v)) / (high - low + room), ends: [low, high - room] };
  };
  const line = (values, { y }, drawn) => {
    picture.append(svg("path", { d: values.map((v, k) => `${k ? "L" : "M"}${x(shift[k]).toFixed(1)} ${y(v).toFixed(1)}`).join(""), fill: "none", "stroke-width": 2, ...drawn }));
    values.forEach((v, k) => picture.append(svg("circle", { cx: x(shift[k]), cy: y(v), r: 2.5, fill: drawn.stroke })));
  };
  const ends = (scale, at, anchor, digits) => scale.ends.forEach((v) => picture.append(svg("text", { x: at, y: scale.y(v) + 4, "text-anchor": anchor }, short(v, digits))));
  picture.append(svg("rect", { x: x(closer), y: top, width: Math.max(0, x(further) - x(closer)), height: height - top - bottom, fill: WINDOW }));
  picture.append(svg("line", { x1: left, x2: width - right, y1: height - bottom, y2: height - bottom, stroke: LINE }));
  picture.append(svg("line", { x1: x(0), x2: x(0), y1: top, y2: height - bottom, stroke: INK, "stroke-dasharray": "2 3" }));
  picture.append(svg("text", { x: x(0), y: 12, "text-anchor": "middle" }, "lands here"));
  const costs = upright(cost), turns = upright(Object.values(recoil).flat());
  Object.values(recoil).forEach((values, i) => line(values, turns, { stroke: RECOIL, "stroke-dasharray": i ? "2 3" : "6 3" }));
  line(cost, costs, { stroke: INK });
  ends(costs, left - 5, "end", 2);
  ends(turns, width - right + 5, "start", 0);
  for (const v of [shift[0], 0, shift.at(-1)]) picture.append(svg("text", { x: x(v), y: height - bottom + 13, "text-anchor": "middle" }, short(v)));
  picture.append(svg("text", { x: left, y: height - 3 }, "closer"), svg("text", { x: (left + width - right) / 2, y: height - 3, "text-anchor": "middle" }, "mm"), svg("text", { x: width - right, y: height - 3, "text-anchor": "end" }, "further ahead"));
  return picture;
}
