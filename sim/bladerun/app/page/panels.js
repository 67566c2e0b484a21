// The drawings beside the runner, as SVG: now in colour, the fitting compared with in grey. Every drawing says in
// words what it shows. Text goes in as text, never as markup.

import { drawing, html, short, svg } from "./drawn.js";

const BLUE = "#0072b2", ORANGE = "#b04a00", GREY = "#7a858f", INK = "#1c2733", BAND = "#d6dce2", LINE = "#b9c2ca";
const COLOUR = { right: BLUE, left: ORANGE };

function card(title, wide = false) {
  const made = html("section", wide ? "card wide" : "card");
  made.append(html("h2", "", title));
  return made;
}

function arrowTo(parent, x, y, toX, toY, colour, width) {
  const length = Math.hypot(toX - x, toY - y) || 1, ux = (toX - x) / length, uy = (toY - y) / length;
  const neckX = toX - 12 * ux, neckY = toY - 12 * uy;
  parent.append(svg("line", { x1: x, y1: y, x2: neckX, y2: neckY, stroke: colour, "stroke-width": width }));
  const head = [[toX, toY], [neckX - 6 * uy, neckY + 6 * ux], [neckX + 6 * uy, neckY - 6 * ux]];
  parent.append(svg("polygon", { points: head.map((p) => p.join(",")).join(" "), fill: colour }));
}

function numbers(now, before, { names, differences, margins }) {
  const made = card("The numbers", true), table = html("table"), head = html("tr");
  const columns = before ? ["", names.before, names.now, "difference"] : ["", names.now];
  for (const word of columns) head.append(Object.assign(html("th", "", word || "Result"), { scope: "col" }));
  table.append(html("thead"));
  table.tHead.append(head);
  const body = html("tbody");
  now.numbers.forEach((row, i) => {
    const line = html("tr"), title = html("th", "", row.unit ? `${row.title}, ${row.unit}` : row.title);
    title.scope = "row";
    line.append(title);
    for (const one of before ? [before.numbers[i], row] : [row]) line.append(amount(one));
    if (before) line.append(differences[i].verdict === "same" ? html("td", "alike", "no clear difference") : amount(differences[i]));
    body.append(line);
  });
  table.append(body);
  made.append(table, html("p", "legend", margins));
  return made;
}

function amount({ text, margin }) {
  const cell = html("td");
  cell.append(html("b", "", text), html("small", "", margin ? ` ± ${margin}` : ""));
  return cell;
}

function push(now, before) {
  const { recoil, energy } = now, made = card("Energy and push");
  const says = `The push goes ${recoil.word}, ${short(recoil.deg)} degrees above the horizontal. ` +
    `${short(energy.in)} joules in, ${short(energy.out)} back.`;
  const picture = drawing(170, 128, says);
  picture.append(svg("line", { x1: 4, y1: 108, x2: 166, y2: 108, stroke: LINE }));
  const towards = (deg, colour, width) => {
    const a = (deg * Math.PI) / 180, turned = Math.PI / 2 - 2.2 * (Math.PI / 2 - a); // leaning shown 2.2 times
    arrowTo(picture, 52, 108, 52 + 84 * Math.cos(turned), 108 - 84 * Math.sin(turned), colour, width);
  };
  picture.append(svg("line", { x1: 52, y1: 108, x2: 52, y2: 18, stroke: LINE, "stroke-dasharray": "3 3" }));
  if (before && before.recoil.deg !== null) towards(before.recoil.deg, GREY, 3);
  if (recoil.deg !== null) towards(recoil.deg, ORANGE, 5);
  const most = Math.max(energy.in, before ? before.energy.in : 0, 1) * 1.1;
  [["in", energy.in, before && before.energy.in, 118], ["out", energy.out, before && before.energy.out, 145]].forEach(([word, value, old, x]) => {
    const tall = (84 * value) / most;
    picture.append(svg("rect", { x, y: 108 - tall, width: 19, height: tall, fill: word === "in" ? INK : ORANGE }));
    if (old) picture.append(svg("line", { x1: x - 2, x2: x + 21, y1: 108 - (84 * old) / most, y2: 108 - (84 * old) / most, stroke: GREY, "stroke-width": 3 }));
    picture.append(svg("text", { x: x + 9.5, y: 103 - tall, "text-anchor": "middle" }, short(value)));
    picture.append(svg("text", { x: x + 9.5, y: 122, "text-anchor": "middle" }, word === "in" ? "in" : "back"));
  });
  made.append(html("p", "word", recoil.word), picture);
  made.append(html("p", "say", `${short(recoil.deg, 1)}° above the horizontal (the lean is drawn larger). Bars: energy into and back from the blade, J. Work on the body: ${short(energy.up)} J up, ${short(energy.forward)} J forward.`));
  return made;
}

function pelvis(now, before) {
  const difference = now.psis.difference_mm, blade = now.side, higher = difference > 0 ? "higher" : "lower";
  const says = `Seen from behind, blade bent most: the ${blade} PSIS is ${short(Math.abs(difference), 1)} mm ${higher} than the other.`;
  const made = card("Pelvis, blade bent most"), picture = drawing(170, 100, says);
  picture.append(svg("line", { x1: 10, y1: 50, x2: 160, y2: 50, stroke: LINE, "stroke-dasharray": "3 3" }));
  const level = (one, colour, width) => {
    const mean = (one.psis.left[1] + one.psis.right[1]) / 2;
    const y = (point) => 50 - 1800 * (point[1] - mean);
    picture.append(svg("line", { x1: 40, y1: y(one.psis.left), x2: 130, y2: y(one.psis.right), stroke: colour, "stroke-width": width }));
    return [[40, y(one.psis.left)], [130, y(one.psis.right)]];
  };
  if (before) level(before, GREY, 2);
  level(now, INK, 2.5).forEach(([x, y], i) => {
    const side = i ? "right" : "left";
    picture.append(svg("circle", { cx: x, cy: y, r: 6, fill: COLOUR[side] }));
    picture.append(svg("text", { x, y: 96, "text-anchor": "middle" }, side === blade ? `${side}, blade` : side));
  });
  made.append(html("p", "word", Math.abs(difference) < 1 ? "level" : `${blade} side ${short(Math.abs(difference), 1)} mm ${higher}`), picture);
  made.append(html("p", "say", "Seen from behind, both PSIS; height drawn larger."));
  return made;
}

function bench(now, before) {
  const { toe, alpha, beta, height, outside } = now.bench;
  const made = card("Bench alignment");
  const says = `Standing, blade upright and unloaded: the toe is ${short(toe)} mm ahead of the load line, alpha ${short(alpha)}, beta ${short(beta)} degrees.`;
  const picture = drawing(170, 150, says);
  const scale = 150 / 640, at = ([x, y], low) => [75 + 1000 * scale * x, 140 + 1000 * scale * (low - y)];
  const outline = (one, colour, width) => {
    const points = one.line.map((p) => at(p, one.low[1]).map((v) => v.toFixed(1)).join(",")).join(" ");
    picture.append(svg("polyline", { points, fill: "none", stroke: colour, "stroke-width": width, "stroke-linejoin": "round" }));
  };
  if (before) outline(before.bench, GREY, 2);
  outline(now.bench, COLOUR[now.side], 4);
  const knee = at([0, 0], now.bench.low[1]), rear = at(now.bench.rear, now.bench.low[1]), low = at(now.bench.low, now.bench.low[1]);
  picture.append(svg("line", { x1: knee[0], y1: 4, x2: knee[0], y2: 140, stroke: INK, "stroke-dasharray": "4 3" }));
  picture.append(svg("polyline", { points: [knee, rear, low].map((p) => p.join(",")).join(" "), fill: "none", stroke: INK }));
  picture.append(svg("circle", { cx: knee[0], cy: knee[1], r: 4, fill: INK }), svg("text", { x: knee[0] + 7, y: knee[1] + 4 }, "knee"));
  picture.append(svg("line", { x1: 4, x2: 166, y1: 141, y2: 141, stroke: LINE }));
  made.append(html("p", "word", `toe ${short(toe)} mm ahead`), picture);
  const rule = outside === null ? "" : outside.length ? ` Outside the published rule: ${outside.join("; ")}.` : " Inside the published rule.";
  made.append(html("p", "say", `Dashed: load line. Alpha ${short(alpha)}°, beta ${short(beta)}°; ${short(height)} mm over the sound leg, standing.${rule}`));
  return made;
}

function hip(now, before, names) {
  const made = card("Hip torque against able-bodied runners, Nm/kg", true);
  const picture = drawing(372, 128, "Hip torque in three planes over the stride of each leg, " +
    now.hip.map((row) => `${row.title}: blade side peaks at ${short(Math.max(...row.curves[now.side].map(Math.abs)), 2)}`).join("; "));
  now.hip.forEach((row, i) => {
    const left = 4 + i * 124, top = 26, width = 112, height = 84;
    const all = [...row.curves.right, ...row.curves.left, ...row.mean.map((m, k) => m + row.sd[k]), ...row.mean.map((m, k) => m - row.sd[k])];
    const low = Math.min(...all, 0), high = Math.max(...all, 0);
    const x = (k) => left + (width * k) / (row.percent.length - 1), y = (v) => top + height - (height * (v - low)) / (high - low || 1);
    const path = (values) => values.map((v, k) => `${k ? "L" : "M"}${x(k).toFixed(1)} ${y(v).toFixed(1)}`).join("");
    const upper = row.mean.map((m, k) => m + row.sd[k]), lower = row.mean.map((m, k) => m - row.sd[k]);
    const back = lower.map((v, k) => `L${x(k).toFixed(1)} ${y(v).toFixed(1)}`).reverse().join("");
    picture.append(svg("path", { d: `${path(upper)}${back}Z`, fill: BAND }));
    picture.append(svg("line", { x1: left, x2: left + width, y1: y(0), y2: y(0), stroke: LINE }));
    if (before) picture.append(svg("path", { d: path(before.hip[i].curves[now.side]), fill: "none", stroke: GREY, "stroke-width": 2 }));
    for (const side of ["left", "right"]) {
      const drawn = { d: path(row.curves[side]), fill: "none", stroke: COLOUR[side], "stroke-width": 1.8 };
      if (side !== now.side) drawn["stroke-dasharray"] = "5 2";
      picture.append(svg("path", drawn));
    }
    picture.append(svg("text", { x: left, y: 11, class: "strong" }, row.title));
    picture.append(svg("text", { x: left, y: 22 }, `${row.up}, ${short(low, 1)}…${short(high, 1)}`));
  });
  picture.append(svg("text", { x: 4, y: 124 }, "touchdown"), svg("text", { x: 368, y: 124, "text-anchor": "end" }, "next touchdown"));
  made.append(picture);
  made.append(html("p", "legend", `Line: ${now.side} (blade); dashes: the other leg; grey band: able-bodied ± 1 SD` + (before ? `; grey line: ${names.before}, blade side.` : ".")));
  return made;
}

function whip(now, before) {
  const made = card("Whip, from above");
  const says = `After toe-off: ${now.whip.word}; the tip swings ${short(Math.abs(now.whip.mm))} millimetres ${now.whip.mm > 0 ? "outward" : "inward"}.`;
  const picture = drawing(170, 112, says);
  const all = [...now.whip.path, ...(before ? before.whip.path : [])];
  const forward = all.map((p) => p[0]), aside = all.map((p) => p[1]);
  const middleX = (Math.min(...aside) + Math.max(...aside)) / 2, middleY = (Math.min(...forward) + Math.max(...forward)) / 2;
  const span = Math.max(Math.max(...forward) - Math.min(...forward), Math.max(...aside) - Math.min(...aside), 60);
  const outward = now.side === "right" ? 1 : -1;
  const at = ([f, s]) => [85 + (outward * 78 * (s - middleX)) / span, 52 - (78 * (f - middleY)) / span];
  const trace = (path, colour, width) => {
    const points = path.map(at);
    picture.append(svg("polyline", { points: points.map((p) => p.join(",")).join(" "), fill: "none", stroke: colour, "stroke-width": width }));
    picture.append(svg("circle", { cx: points[0][0], cy: points[0][1], r: 4, fill: "#fff", stroke: colour, "stroke-width": 2 }));
    picture.append(svg("circle", { cx: points.at(-1)[0], cy: points.at(-1)[1], r: 4, fill: colour }));
  };
  if (before) trace(before.whip.path, GREY, 2);
  trace(now.whip.path, COLOUR[now.side], 3);
  const inner = outward > 0 ? 4 : 166, outer = outward > 0 ? 166 : 4;
  picture.append(svg("text", { x: inner, y: 108, "text-anchor": outward > 0 ? "start" : "end" }, "inward"));
  picture.append(svg("text", { x: outer, y: 108, "text-anchor": outward > 0 ? "end" : "start" }, "outward"));
  made.append(html("p", "word", now.whip.word), picture);
  made.append(html("p", "say", "The blade's tip from the knee, from toe-off (ring) through early swing (dot); forward is up. A medial whip: the heel goes inward."));
  return made;
}

function bars(now, before) {
  const made = card("Left and right");
  const says = now.bars.map((row) => `${row.title}: left ${short(row.values.left, 2)}, right ${short(row.values.right, 2)} ${row.unit}`).join("; ");
  const picture = drawing(170, 150, says);
  now.bars.forEach((row, i) => {
    const y = 4 + i * 37, digits = row.unit === "ms" ? 0 : 2;
    const most = Math.max(row.values.left, row.values.right, ...(before ? Object.values(before.bars[i].values) : []), 1e-9);
    picture.append(svg("text", { x: 85, y: y + 9, "text-anchor": "middle" }, `${row.title}, ${row.unit}`));
    for (const side of ["left", "right"]) {
      const wide = (53 * row.values[side]) / most, x = side === "left" ? 84 - wide : 86;
      picture.append(svg("rect", { x, y: y + 14, width: wide, height: 13, fill: COLOUR[side] }));
      if (before) {
        const old = (53 * before.bars[i].values[side]) / most, place = side === "left" ? 84 - old : 86 + old;
        picture.append(svg("line", { x1: place, x2: place, y1: y + 12, y2: y + 29, stroke: INK, "stroke-width": 2 }));
      }
      picture.append(svg("text", { x: side === "left" ? 0 : 170, y: y + 25, "text-anchor": side === "left" ? "start" : "end" }, short(row.values[side], digits)));
    }
  });
  made.append(picture, html("p", "legend", "Left orange, right blue" + (before ? "; dark marks: compared with." : ".")));
  return made;
}

function margin(now, before) {
  const { value, least, word } = now.margin, made = card("The blade's margin");
  const picture = drawing(170, 62, `Strength margin ${short(value, 2)}; at least ${short(least, 1)} is needed: ${word}.`);
  const x = (v) => 6 + (158 * Math.min(v, 3)) / 3;
  picture.append(svg("rect", { x: x(0), y: 18, width: x(1) - x(0), height: 14, fill: "#8c3a00" }));
  picture.append(svg("rect", { x: x(1), y: 18, width: x(least) - x(1), height: 14, fill: "#e0b15c" }));
  picture.append(svg("rect", { x: x(least), y: 18, width: x(3) - x(least), height: 14, fill: "#cfdde7" }));
  const mark = (v, colour) => v !== null && picture.append(svg("polygon", { points: `${x(v)},33 ${x(v) - 6},44 ${x(v) + 6},44`, fill: colour }));
  if (before) mark(before.margin.value, GREY);
  mark(value, INK);
  for (const v of [0, 1, 2, 3]) picture.append(svg("text", { x: x(v), y: 13, "text-anchor": "middle" }, v === 3 ? "3+" : String(v)));
  picture.append(svg("text", { x: 85, y: 58, "text-anchor": "middle" }, "what it bears / what it gets"));
  made.append(html("p", "word", `${short(value, 2)}: ${word}`), picture);
  return made;
}

function spot(now) {
  const made = card("Sweet spot");
  made.append(html("p", "word", now.sweet_spot.word), html("p", "say", `${short(now.sweet_spot.mm)} mm (forward +) from body to blade when it is bent most. Blue on the ground: under the body.`));
  return made;
}

/** Fill `parent` with everything that is known of a fitting, and of the one to compare with, if any. */
export function show(parent, now, before, between) {
  parent.replaceChildren(
    numbers(now, before, between), push(now, before), pelvis(now, before), hip(now, before, between.names),
    whip(now, before), bench(now, before), bars(now, before), spot(now), margin(now, before),
  );
}
