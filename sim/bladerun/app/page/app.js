// The page: the form is the runner's file, the sliders are a point around its fitting, the server answers.

import { ghostSays, keep, refresh } from "./answers.js";
import { complain, guarded, onReturn } from "./complain.js";
import { redrawCurves } from "./curves.js";
import { $, ask, AXES, desk } from "./desk.js";
import { beginExample, sayExample, shownNow } from "./example.js";
import { beginFilm } from "./film.js";
import { beginFold } from "./fold.js";
import { begin, beside, canonical, predicted, put, putMeasured, showUnits, written } from "./form.js";
import { paint, play, stage } from "./player.js";
import { explore, leaves, release, restore, take, watch } from "./runs.js";
import { outputs, point, same } from "./sliders.js";
import { ask as question, download } from "./talk.js";
import { changed, mark } from "./whose.js";

const MOST_BYTES = 60000;

function listen() {
  $("form").addEventListener("submit", guarded(async (event) => {
    event.preventDefault();
    await explore(written());
  }));
  $("units").addEventListener("change", () => {
    showUnits($("units").value);
    if (desk.solved) outputs();
    redrawCurves(point());
    mark();
    sayExample();
  });
  $("new").addEventListener("click", () => {
    if (!leaves()) return;
    complain(null);
    take(desk.facts.new);
    $("name").focus();
  });
  $("undo").addEventListener("click", () => {
    put({ ...predicted(desk.solved.document), ...beside() });
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
    desk.saved = text;
  }));
  $("sheet").addEventListener("click", guarded(async () => {
    $("working").textContent = "Writing the sheet…";
    try {
      await download(await ask("sheet", { point: point(), ...beside() }));
      $("working").textContent = "The sheet is written.";
    } catch (error) {
      $("working").textContent = "";
      throw error;
    }
  }));
  $("halt").addEventListener("click", guarded(async () => {
    await ask("halt");
    desk.halted = true;
    watch();
  }));
  for (const axis of AXES) {
    $(`s-${axis}`).addEventListener("input", () => {
      desk.held = true;
      outputs();
      refresh();
    });
    $(`s-${axis}`).addEventListener("change", release);
  }
  $("ghost").addEventListener("change", ghostSays);
  $("over").addEventListener("change", () => redrawCurves(point()));
  $("keep").addEventListener("click", () => keep(point()));
  $("sure").addEventListener("click", guarded(async () => {
    $("sure").disabled = true;
    await ask("vary", { point: point(), against: desk.against });
    watch();
  }));
  $("reset").addEventListener("click", () => {
    AXES.forEach((axis, i) => ($(`s-${axis}`).value = desk.solved.middle[i]));
    outputs();
    keep(desk.solved.middle);
  });
}

new ResizeObserver(([{ target }]) => { // taller than the window it comes to rest where its end is seen
  const room = window.innerHeight - target.offsetHeight - 8;
  target.style.setProperty("--top", `${Math.min(8, room)}px`);
}).observe(document.querySelector(".stage"));
desk.facts = await (await question("facts")).json();
begin(desk.facts, mark);
onReturn(explore);
beginFold();
stage(() => {
  const now = shownNow();
  const speeds = { now: (now && now.speed) || point()[3], before: desk.against && desk.against[3] };
  return { now, before: desk.before, speeds, apart: now === desk.now && !same(point(), desk.against) };
});
listen();
beginFilm({
  swing: desk.facts.swing_share,
  now: () => (changed() ? null : desk.today),
  side: () => $("side").value,
  kept: () => written().measured,
  keep: putMeasured,
  ask: async (marks) => (await question("film", { run: desk.solved && desk.solved.run, document: written(), marks })).json(),
});
await Promise.all([beginExample(), restore()]);
paint();
play(!window.matchMedia("(prefers-reduced-motion: reduce)").matches);
document.body.dataset.ready = "yes";
