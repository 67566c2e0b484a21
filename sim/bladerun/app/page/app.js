// The page: the form is the runner's file, the sliders are a point around its fitting, the server answers. What is
// shown of a prediction belongs to the runner it was made for, and to no other: `solved` says whose it is.

import { showAnswer, showWindow } from "./answer.js";
import { moveMarks, redrawCurves, showCurves } from "./curves.js";
import { beginFilm, closeFilm, filmChanged } from "./film.js";
import { begin, canonical, kind, put, putMeasured, shownUnits, showUnits, told, written } from "./form.js";
import { show } from "./panels.js";
import { paint, play, stage } from "./player.js";
import { unpack } from "./scene.js";
import { ask as question, download } from "./talk.js";

const AXES = ["category", "height_mm", "toe_out_deg", "speed_m_s"];
const MOST_BYTES = 60000;
const KEPT = "bladerun"; // in this window, until it is closed
const $ = (id) => document.getElementById(id);

let facts, solved = null; // what the server knows; the document predicted, its run, its sliders
let saved = ""; // the document as it was opened or saved last
let against = null; // the point compared with
let now = null, before = null, between = null; // answers: of the sliders, of what it is compared with, of the two
let today = null; // the answer of what is worn today, to run beside a film
let answering = false, unanswered = false, answered = ""; // the answer: being asked for, out of date, as last shown
let busy = false, wanted = false, seen = -1, timer = 0, halted = false, held = false, starting = false, away = 0;

/** A question about what is solved. */
function ask(path, content = {}) {
  const run = solved && solved.run;
  return question(path, { run, ...content }).catch((error) => {
    throw Object.assign(error, { run });
  });
}

function complain(error) {
  if (error && error.run !== undefined && error.run !== (solved && solved.run)) return; // of a runner shown before
  $("error").textContent = "";
  if (error && error.gone) reconnect();
  if (error && error.key === "run") {
    if (solved) solved.run = null;
    mark();
  } else if (!told(error) && error) $("error").textContent = error.message;
}
const guarded = (act) => async (...given) => {
  try {
    complain(null);
    await act(...given);
  } catch (error) {
    complain(error);
  }
};

/** Ask again until the program answers, then go on with what was predicted. */
function reconnect() {
  clearTimeout(away);
  away = setTimeout(async () => {
    try {
      await question("facts");
      $("error").textContent = "";
      if (solved) await explore(solved.document);
    } catch (error) {
      complain(error);
    }
  }, 2000);
}

// whose results these are

const basis = ({ measured, ...rest }) => canonical(rest); // a film changes nothing that is predicted
const changed = () => solved && (solved.run === null || basis(written()) !== solved.text);

function whose() {
  const { runner, amputation } = solved.document, [mass, kg] = kind("mass"), [length, m] = kind("length");
  const measures = `${Number((runner.mass_kg / kg).toFixed(1))} ${mass}, ${Number((runner.height_m / m).toFixed(1))} ${length}, ${amputation.side}`;
  return `${runner.name || "Runner without a name"}, ${measures}`;
}

/** Show whether the results are of what stands in the form. */
function mark() {
  const stale = Boolean(changed()), taken = solved && solved.run === null;
  document.body.classList.toggle("stale", stale);
  $("whose").textContent = !solved ? "" : taken
    ? `These results are of ${whose()}. Another runner was begun with since, in another window, or the program was started anew: “Predict running” goes on with this one.`
    : stale ? `These results are of ${whose()}, not of what stands in the form now. “Predict running” brings those.` : whose();
  $("who").textContent = solved ? `· ${stale ? "results of " : ""}${solved.document.runner.name || "runner without a name"}` : "";
  $("undo").hidden = !stale || taken;
  for (const id of ["shown", "first", "results", "landing", "curves"]) $(id).inert = stale;
  $("sheet").disabled = !solved || stale;
  filmChanged();
  keepHere();
}

/** Keep what is typed and predicted for a reload of this window. */
function keepHere() {
  try {
    const here = { file: written(), blades: facts.blades, units: shownUnits(), saved, solved, against, point: solved && point() };
    sessionStorage.setItem(KEPT, JSON.stringify(here));
  } catch {} // a window may have no storage: then nothing is kept
}

function clear() {
  clearTimeout(timer);
  clearTimeout(pause);
  solved = now = before = between = against = today = null;
  seen = -1;
  answered = "";
  for (const id of ["first", "landing", "curves"]) $(id).hidden = true;
  showCurves([], [], [], places());
  for (const axis of AXES) $(`s-${axis}`).disabled = true;
  for (const id of ["keep", "reset", "sure"]) $(id).disabled = true;
  for (const axis of AXES) $(`o-${axis}`).textContent = "–";
  $("results").replaceChildren();
  $("halt").hidden = true;
  $("progress").value = 0;
  $("working").textContent = "Fill in the form and press “Predict running”.";
  $("now-title").textContent = "This fitting";
  $("before-title").textContent = "Worn today";
  $("now").setAttribute("aria-label", "The runner; nothing is solved yet");
  $("before").setAttribute("aria-label", "The fitting to compare with");
  $("state").textContent = $("story-2").textContent = "";
  $("story-1").textContent = "Move a slider to see.";
  mark();
  paint();
}

const leaves = () => canonical(written()) === saved || window.confirm("What is in the form is not saved. Leave it?");

function take(document_, blade) {
  closeFilm();
  clear();
  put(document_, blade);
  saved = canonical(written());
  mark();
}

// solving and asking

const point = () => AXES.map((axis) => Number($(`s-${axis}`).value));
const same = (one, other) => one && other && one.every((value, i) => Math.abs(value - other[i]) < 1e-6);
const names = () => ({ now: "this fitting", before: same(against, solved.middle) ? "worn today" : "compared" });

function outputs() {
  const [category, height, toe, speed] = point();
  $("o-category").textContent = String(category);
  $("o-height_mm").textContent = shownUnits() === "metric" ? `${height} mm` : `${(height / 25.4).toFixed(2)} in`;
  $("o-toe_out_deg").textContent = `${toe}°`;
  $("o-speed_m_s").textContent = `${speed.toFixed(2)} m/s`;
  moveMarks(point());
}

const places = () => ({ chosen: $("over"), table: $("curves"), under: Object.fromEntries(AXES.map((axis) => [axis, $(`c-${axis}`)])) });

function sliders({ axes, document: { fitting } }, values) {
  $("apart").hidden = !["left", "right"].some((leg) => Object.keys(fitting[leg] || {}).length);
  AXES.forEach((axis, i) => {
    const slider = $(`s-${axis}`), { value, least, most, step } = axes[axis];
    Object.assign(slider, { min: least, max: most, step, disabled: least === most });
    slider.value = values ? values[i] : value;
  });
  $("keep").disabled = $("reset").disabled = false;
  outputs();
}

/** Predict a document, or go on with it where the server has it still. */
async function explore(document_) {
  if (starting) return;
  starting = true;
  $("working").textContent = "Starting…";
  try {
    const sent = structuredClone(document_);
    const { run, middle, axes } = await (await question("explore", { document: sent })).json();
    clear();
    solved = { document: sent, text: basis(sent), run, middle, axes };
    against = middle;
    halted = false;
    sliders(solved);
    mark();
    watch();
  } finally {
    starting = false;
    if ($("working").textContent === "Starting…") $("working").textContent = "";
  }
}

/** What is left of the last window's content: the form, and the prediction if the server has it still. */
async function restore() {
  let kept = null;
  try {
    kept = JSON.parse(sessionStorage.getItem(KEPT));
  } catch {}
  if (!kept || !kept.file) return take(facts.first);
  $("units").value = kept.units;
  showUnits(kept.units);
  const known = new Set(facts.blades.map((one) => one.name));
  put(kept.file, kept.blades.find((one) => !known.has(one.name)));
  saved = kept.saved;
  if (!kept.solved) return mark();
  solved = kept.solved;
  against = kept.against;
  sliders(solved, kept.point);
  mark();
  await watch();
}

async function watch() {
  clearTimeout(timer);
  const mine = solved && solved.run;
  if (!mine) return;
  const progress = await ask("progress").then((answer) => answer.json()).catch(complain);
  if (!progress || !solved || solved.run !== mine) return;
  const { done, total, failed, left_s: left } = progress, over = done >= total;
  $("progress").max = total || 1;
  $("progress").value = done;
  const time = left === null ? "" : left < 3 ? ", nearly done" : `, about ${left < 90 ? `${left} s` : `${Math.ceil(left / 60)} min`} left`;
  const text = over ? (halted ? `Stopped; ${done} strides are done. “Predict running” goes on.` : `All ${total} strides are done.`) +
      (failed.length ? ` ${failed.length} could not be run.` : "")
    : halted ? "Stopping: finishing what is being solved."
      : done ? `Solving: ${done} of ${total} strides${time}.`
        : "Solving the first stride; the very first on a machine also compiles, which takes minutes.";
  if ($("working").textContent !== text) $("working").textContent = text;
  $("halt").hidden = over || halted;
  if (done !== seen) {
    seen = done;
    refresh();
    answer();
    learn().catch(complain);
  }
  if (!over) timer = setTimeout(watch, 700);
}

/** Ask for the point on the sliders; one question at a time, the latest wins. */
async function refresh() {
  wanted = true;
  if (busy) return;
  busy = true;
  $("results").ariaBusy = "true";
  try {
    while (wanted) {
      wanted = false;
      const mine = solved && solved.run, asked = point(), began = performance.now();
      if (!mine) break;
      const found = await (await ask("at", { point: asked, against })).json();
      if (!solved || solved.run !== mine) continue; // of a runner who is not shown any more
      between = found;
      ({ now, before } = between);
      for (const one of [now, before]) if (one.scene) one.scene = unpack(one.scene);
      present();
      document.body.dataset.answered = `${asked.join(" ")} ${now.state}`;
      document.body.dataset.milliseconds = String(Math.round(performance.now() - began));
    }
  } catch (error) {
    complain(error);
  } finally {
    busy = false;
    $("results").ariaBusy = "false";
  }
}

/** The runner on what is worn today, as far as it is solved, for the film. */
async function learn() {
  const mine = solved && solved.run;
  if (!mine || (today && today.state === "solved")) return;
  const found = (await (await ask("at", { point: solved.middle, against: solved.middle })).json()).now;
  if (!solved || solved.run !== mine || !found.scene) return;
  today = { ...found, scene: unpack(found.scene), speed: solved.middle[3] };
  filmChanged();
}

/** Ask what to try first and for the curves; one question at a time. */
async function answer() {
  unanswered = true;
  if (answering) return;
  answering = true;
  $("first").ariaBusy = "true";
  try {
    while (unanswered) {
      unanswered = false;
      const mine = solved && solved.run;
      if (!mine) break;
      const found = await (await ask("answer")).json();
      if (!solved || solved.run !== mine) continue; // of a runner who is not shown any more
      if (found.curves.length) for (const axis of AXES) reach(axis, found.curves[0].axes[axis].x);
      if (found.curves.length) showCurves(found.curves, solved.middle, point(), places());
      $("first").hidden = $("landing").hidden = false;
      if (answered !== JSON.stringify([found.first, found.window])) {
        showAnswer($("first"), found.first, look);
        showWindow($("landing"), found.window);
        answered = JSON.stringify([found.first, found.window]);
      }
    }
  } catch (error) {
    complain(error);
  } finally {
    answering = false;
    $("first").ariaBusy = "false";
  }
}

/** Let a slider go as far as these values. */
function reach(axis, values) {
  const slider = $(`s-${axis}`);
  slider.min = Math.min(slider.min, ...values);
  slider.max = Math.max(slider.max, ...values);
}

/** Put the sliders where a change is, further than they reach if need be, and compare it with what is worn today. */
function look(chosen) {
  AXES.forEach((axis, i) => {
    reach(axis, [chosen[i]]);
    $(`s-${axis}`).value = chosen[i];
  });
  outputs();
  keep(solved.middle);
}

function state({ state: is, waits, why }) {
  if (is === "solved") return "Solved for exactly this fitting.";
  if (is === "failed") return `This fitting could not be run: ${why}.`;
  const word = is === "between" ? "An estimate between solved strides" : "Not known yet";
  if (waits) return is === "between" ? `${word}; being solved exactly now.` : "Being solved.";
  return held ? `${word}. Let go of the slider to have it solved exactly.` : `${word}.`;
}

function present() {
  $("state").textContent = state(now);
  const compared = same(point(), against) ? null : before.view;
  $("results").classList.toggle("old", !now.view);
  if (now.view) show($("results"), now.view, compared, { ...between, names: names() });
  $("sure").disabled = between.varied || now.state !== "solved" || before.state !== "solved";
  $("now-title").textContent = now.setting;
  $("before-title").textContent = `${names().before}: ${before.setting}`;
  $("now").setAttribute("aria-label", now.view
    ? `The runner, ${now.setting}: the push goes ${now.view.recoil.word}; bent most, the blade stands ${now.view.sweet_spot.word}`
    : "The runner; nothing is solved yet");
  $("before").setAttribute("aria-label", `The runner, ${before.setting}`);
  const [first, second] = between.story || (same(point(), against) ? ["This is the fitting compared with: move a slider to see what changes.", ""]
    : now.view && before.view ? ["Which differences are real cannot be said yet.", ""] : ["", ""]);
  $("story-1").textContent = first;
  $("story-2").textContent = second;
  paint();
}

let pause = 0;
const release = () => { // keys change a slider step by step: wait for the last
  clearTimeout(pause);
  pause = setTimeout(exactly, 400);
};
const exactly = guarded(async () => {
  held = false;
  await ask("solve", { point: point() });
  halted = false;
  keepHere();
  refresh();
  watch();
});

function keep(chosen) {
  against = chosen;
  keepHere();
  refresh();
}

function listen() {
  $("form").addEventListener("submit", guarded(async (event) => {
    event.preventDefault();
    await explore(written());
  }));
  $("units").addEventListener("change", () => {
    showUnits($("units").value);
    if (solved) outputs();
    redrawCurves(point());
    mark();
  });
  $("new").addEventListener("click", () => {
    if (!leaves()) return;
    complain(null);
    take(facts.new);
    $("name").focus();
  });
  $("undo").addEventListener("click", () => {
    const { measured } = written();
    put(solved.document);
    putMeasured(measured);
  });
  $("open").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", guarded(async () => {
    const chosen = $("file").files[0];
    $("file").value = "";
    if (!chosen) return;
    if (!chosen.name.endsWith(".toml") || chosen.size > MOST_BYTES) throw new Error("Choose a runner's file (.toml) of at most 60 kB.");
    const found = await (await question("open", { text: await chosen.text() })).json();
    if (leaves()) take(found.document, found.blade || undefined);
  }));
  $("save").addEventListener("click", guarded(async () => {
    const text = canonical(written());
    await download(await question("save", { document: written() }));
    saved = text;
  }));
  $("sheet").addEventListener("click", guarded(async () => {
    $("working").textContent = "Writing the sheet…";
    try {
      await download(await ask("sheet", { point: point(), measured: written().measured }));
      $("working").textContent = "The sheet is written.";
    } catch (error) {
      $("working").textContent = "";
      throw error;
    }
  }));
  $("halt").addEventListener("click", guarded(async () => {
    await ask("halt");
    halted = true;
    watch();
  }));
  for (const axis of AXES) {
    $(`s-${axis}`).addEventListener("input", () => {
      held = true;
      outputs();
      refresh();
    });
    $(`s-${axis}`).addEventListener("change", release);
  }
  $("over").addEventListener("change", () => redrawCurves(point()));
  $("keep").addEventListener("click", () => keep(point()));
  $("sure").addEventListener("click", guarded(async () => {
    $("sure").disabled = true;
    await ask("vary", { point: point(), against });
    watch();
  }));
  $("reset").addEventListener("click", () => {
    AXES.forEach((axis, i) => ($(`s-${axis}`).value = solved.middle[i]));
    outputs();
    keep(solved.middle);
  });
}

new ResizeObserver(([{ target }]) => { // taller than the window it comes to rest where its end is seen
  const room = window.innerHeight - target.offsetHeight - 8;
  target.style.setProperty("--top", `${Math.min(8, room)}px`);
}).observe(document.querySelector(".stage"));
facts = await (await question("facts")).json();
begin(facts, mark);
stage(() => ({ now, before, speeds: [point()[3], against && against[3]] }));
listen();
beginFilm({
  swing: facts.swing_share,
  now: () => (changed() ? null : today),
  side: () => $("side").value,
  kept: () => written().measured,
  keep: putMeasured,
  ask: async (marks) => (await question("film", { run: solved && solved.run, document: written(), marks })).json(),
});
await restore();
play(!window.matchMedia("(prefers-reduced-motion: reduce)").matches);
document.body.dataset.ready = "yes";
