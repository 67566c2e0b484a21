// What the program says of the point on the sliders, of what to try first and of what is worn today, as it comes.

import { showAnswer, showWindow } from "./answer.js";
import { complain } from "./complain.js";
import { showCurves } from "./curves.js";
import { $, ask, AXES, desk } from "./desk.js";
import { sayExample } from "./example.js";
import { filmChanged } from "./film.js";
import { show } from "./panels.js";
import { paint } from "./player.js";
import { unpack } from "./scene.js";
import { names, outputs, places, point, reach, same } from "./sliders.js";
import { keepHere } from "./whose.js";

let answered = ""; // what to try first, as last shown

/** Show what to try first anew, of whichever runner comes next. */
export const forget = () => (answered = "");

const stays = (run) => desk.solved && desk.solved.run === run; // else: of a runner who is not shown any more

/** A question asked once at a time, and once more if it was wanted meanwhile. busy: what it fills; ask: called with the run. */
function oneAtATime(busy, question) {
  let asking = false, wanted = false;
  return async () => {
    wanted = true;
    if (asking) return;
    asking = true;
    $(busy).ariaBusy = "true";
    try {
      while (wanted && desk.solved && desk.solved.run) {
        wanted = false;
        await question(desk.solved.run);
      }
    } catch (error) {
      complain(error);
    } finally {
      asking = false;
      $(busy).ariaBusy = "false";
    }
  };
}

/** Ask for the point on the sliders. */
export const refresh = oneAtATime("results", async (run) => {
  const asked = point(), began = performance.now();
  const found = await (await ask("at", { point: asked, against: desk.against })).json();
  if (!stays(run)) return;
  desk.between = found;
  Object.assign(desk, { now: found.now, before: found.before });
  for (const one of [found.now, found.before]) if (one.scene) one.scene = unpack(one.scene);
  present();
  document.body.dataset.answered = `${asked.join(" ")} ${desk.now.state}`;
  document.body.dataset.milliseconds = String(Math.round(performance.now() - began));
});

/** The runner on what is worn today, as far as it is solved, for the film. */
export async function learn() {
  const mine = desk.solved && desk.solved.run;
  if (!mine || (desk.today && desk.today.state === "solved")) return;
  const found = (await (await ask("at", { point: desk.solved.middle, against: desk.solved.middle })).json()).now;
  if (!stays(mine) || !found.scene) return;
  desk.today = { ...found, scene: unpack(found.scene), speed: desk.solved.middle[3] };
  filmChanged();
}

/** Ask what to try first and for the curves. */
export const answer = oneAtATime("first", async (run) => {
  const found = await (await ask("answer")).json();
  if (!stays(run)) return;
  if (found.curves.length) for (const axis of AXES) reach(axis, found.curves[0].axes[axis].x);
  if (found.curves.length) showCurves(found.curves, desk.solved.middle, point(), places());
  $("first").hidden = $("landing").hidden = false;
  if (answered === JSON.stringify([found.first, found.window])) return;
  showAnswer($("first"), found.first, look);
  showWindow($("landing"), found.window);
  answered = JSON.stringify([found.first, found.window]);
});

/** Put the sliders where a change is, further than they reach if need be, and compare it with what is worn today. */
function look(chosen) {
  AXES.forEach((axis, i) => {
    reach(axis, [chosen[i]]);
    $(`s-${axis}`).value = chosen[i];
  });
  outputs();
  keep(desk.solved.middle);
}

function state({ state: is, waits, why }) {
  if (is === "solved") return "Solved for exactly this fitting.";
  if (is === "failed") return `This fitting could not be run: ${why}.`;
  const word = is === "between" ? "An estimate between solved strides" : "Not known yet";
  if (waits) return is === "between" ? `${word}; being solved exactly now.` : "Being solved.";
  return desk.held ? `${word}. Let go of the slider to have it solved exactly.` : `${word}.`;
}

function present() {
  const { now, before, between } = desk;
  $("state").textContent = state(now);
  const compared = same(point(), desk.against) ? null : before.view;
  $("results").classList.toggle("old", !now.view);
  if (now.view) show($("results"), now.view, compared, { ...between, names: names() });
  $("sure").disabled = between.varied || now.state !== "solved" || before.state !== "solved";
  $("now-title").textContent = now.setting;
  $("before-title").textContent = `${names().before}: ${before.setting}`;
  $("now").setAttribute("aria-label", now.view
    ? `The runner, ${now.setting}: the push goes ${now.view.recoil.word}; bent most, the blade stands ${now.view.sweet_spot.word}`
    : desk.today ? "The runner; this fitting is not solved yet" : "An example runner; yours is being solved");
  $("before").setAttribute("aria-label", `The runner, ${before.setting}`);
  const [first, second] = between.story || (same(point(), desk.against) ? ["This is the fitting compared with: move a slider to see what changes.", ""]
    : now.view && before.view ? ["Which differences are real cannot be said yet.", ""] : ["", ""]);
  $("story-1").textContent = first;
  $("story-2").textContent = second;
  ghostSays();
  sayExample();
  paint();
}

/** Whose the ghost is, and how it is drawn. */
export function ghostSays() {
  const times = $("ghost").value, { before } = desk;
  $("ghost-says").textContent = before ? `Violet: ${names().before}, ${before.setting}${times > 1 ? `; the difference is drawn ${times} times` : ""}` : "";
}

export function keep(chosen) {
  desk.against = chosen;
  keepHere();
  refresh();
}
