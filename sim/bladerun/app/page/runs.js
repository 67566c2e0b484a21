// Runners, one after the other: opened, predicted, followed while being solved, taken away.

import { answer, forget, learn, refresh } from "./answers.js";
import { complain, guarded } from "./complain.js";
import { showCurves } from "./curves.js";
import { $, ask, AXES, desk } from "./desk.js";
import { sayExample } from "./example.js";
import { closeFilm } from "./film.js";
import { fold } from "./fold.js";
import { canonical, put, showUnits, written } from "./form.js";
import { paint } from "./player.js";
import { places, point, sliders } from "./sliders.js";
import { ask as question } from "./talk.js";
import { basis, changed, keepHere, kept, mark } from "./whose.js";

let seen = -1, timer = 0, pause = 0, starting = false;

function clear() {
  clearTimeout(timer);
  clearTimeout(pause);
  desk.solved = desk.now = desk.before = desk.between = desk.against = desk.today = null;
  seen = -1;
  forget();
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
  $("before").setAttribute("aria-label", "The fitting to compare with");
  $("state").textContent = $("story-2").textContent = "";
  $("story-1").textContent = "Move a slider to see.";
  fold(false);
  mark();
  sayExample();
  paint();
}

export const leaves = () => canonical(written()) === desk.saved || window.confirm("What is in the form is not saved. Leave it?");

export function take(document_, blade) {
  closeFilm();
  clear();
  put(document_, blade);
  desk.saved = canonical(written());
  mark();
}

/** Predict a document, or go on with it where the server has it still. */
export async function explore(document_) {
  if (starting) return;
  starting = true;
  $("working").textContent = "Starting…";
  try {
    const sent = structuredClone(document_);
    const { run, middle, axes, where } = await (await question("explore", { document: sent })).json();
    clear();
    desk.solved = { document: sent, text: basis(sent), run, middle, axes, where };
    desk.against = middle;
    desk.halted = false;
    sliders(desk.solved);
    mark();
    sayExample();
    fold(true);
    watch();
  } finally {
    starting = false;
    if ($("working").textContent === "Starting…") $("working").textContent = "";
  }
}

/** What is left of the last window's content: the form, and the prediction if the server has it still. */
export async function restore() {
  const here = kept();
  if (!here || !here.file) return take(desk.facts.first);
  $("units").value = here.units;
  showUnits(here.units);
  const known = new Set(desk.facts.blades.map((one) => one.name));
  put(here.file, here.blades.find((one) => !known.has(one.name)));
  desk.saved = here.saved;
  if (!here.solved) return mark();
  desk.solved = here.solved;
  desk.against = here.against;
  sliders(desk.solved, here.point);
  mark();
  fold(!changed());
  await watch();
}

export async function watch() {
  clearTimeout(timer);
  const mine = desk.solved && desk.solved.run;
  if (!mine) return;
  const progress = await ask("progress").then((answer) => answer.json()).catch(complain);
  if (!progress || !desk.solved || desk.solved.run !== mine) return;
  const { done, total, failed, left_s: left } = progress, over = done >= total;
  $("progress").max = total || 1;
  $("progress").value = done;
  const time = left === null ? "" : left < 3 ? ", nearly done" : `, about ${left < 90 ? `${left} s` : `${Math.ceil(left / 60)} min`} left`;
  const text = over ? (desk.halted ? `Stopped; ${done} strides are done. “Predict running” goes on.` : `All ${total} strides are done.`) +
      (failed.length ? ` ${failed.length} could not be run.` : "")
    : desk.halted ? "Stopping: finishing what is being solved."
      : done ? `Solving: ${done} of ${total} strides${time}.`
        : "Solving the first stride; the very first on a machine also compiles, which takes minutes.";
  if ($("working").textContent !== text) $("working").textContent = text;
  $("halt").hidden = over || desk.halted;
  if (done !== seen) {
    seen = done;
    refresh();
    answer();
    learn().catch(complain);
  }
  if (!over) timer = setTimeout(watch, 700);
}

/** Solve exactly what is on the sliders. */
const exactly = guarded(async () => {
  desk.held = false;
  await ask("solve", { point: point() });
  desk.halted = false;
  keepHere();
  refresh();
  watch();
});

/** A slider was let go of; keys change it step by step: wait for the last. */
export function release() {
  clearTimeout(pause);
  pause = setTimeout(exactly, 400);
}
