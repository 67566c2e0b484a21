// The page: the form is the runner's file, the sliders are a point around its fitting, the server answers.

import { draw, unpack } from "./scene.js";
import { show } from "./panels.js";

const AXES = ["category", "height_mm", "toe_out_deg", "speed_m_s"];
const UNITS = {
  metric: { mass: ["kg", 1], length: ["cm", 0.01], small: ["mm", 1] },
  imperial: { mass: ["lb", 0.45359237], length: ["in", 0.0254], small: ["in", 25.4] },
};
const MOST_BYTES = 60000;
const $ = (id) => document.getElementById(id);
const fields = [...document.querySelectorAll("[data-key]")];

let facts, file = {}, units = "metric"; // what the server knows, the runner's file, how it is shown
let middle = null, against = null; // points: worn today, compared with
let now = null, before = null, between = null; // answers: of the sliders, of what it is compared with, of the two
let busy = false, wanted = false, seen = -1;
let playing = false, frame = 0, turn = 0, last = 0;

async function ask(path, content) {
  const answer = await fetch(`/api/${path}`, content === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content),
  });
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({ error: "The program did not understand that." }));
    throw Object.assign(new Error(said.error), said);
  }
  return answer;
}

function complain(error) {
  $("error").textContent = error ? error.message : "";
  for (const field of fields) {
    const name = field.dataset.key.split(".").pop();
    if (error && error.key && error.key.includes(name)) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}
const guarded = (act) => async (...given) => {
  try {
    complain(null);
    await act(...given);
  } catch (error) {
    complain(error);
  }
};

// the form

const factor = (field) => (field.dataset.kind ? UNITS[units][field.dataset.kind][1] : 1);

function fill() {
  for (const field of fields) {
    const [section, key] = field.dataset.key.split(".");
    const value = (file[section] || {})[key];
    if (field.type === "number") field.value = value === undefined ? "" : String(Number((value / factor(field)).toFixed(3)));
    else field.value = value === undefined ? "" : String(value);
  }
  if (!$("category").value) $("category").value = "recommended";
  for (const place of document.querySelectorAll("[data-unit]")) place.textContent = UNITS[units][place.dataset.unit][0];
  $("who").textContent = (file.runner || {}).name ? `· ${file.runner.name}` : "";
}

function take(field) {
  const [section, key] = field.dataset.key.split(".");
  file[section] ??= {};
  const text = field.value.trim();
  if (text === "") delete file[section][key];
  else if (field.type === "number") file[section][key] = Number((Number(text) * factor(field)).toFixed(6));
  else if (key === "category") file[section][key] = text === "recommended" ? text : Number(text);
  else file[section][key] = field.value;
  if (key === "blade") categories();
  if (key === "name") $("who").textContent = text ? `· ${text}` : "";
}

function offer(blades) {
  facts.blades = blades;
  $("blade").replaceChildren(...blades.map((one) => Object.assign(document.createElement("option"), { value: one.name, textContent: one.title })));
}

function categories() {
  const blade = facts.blades.find((one) => one.name === (file.fitting || {}).blade) || facts.blades[0];
  const option = (value, text) => Object.assign(document.createElement("option"), { value, textContent: text });
  const chosen = String((file.fitting || {}).category ?? "recommended");
  $("category").replaceChildren(option("recommended", "by weight"), ...blade.categories.map((n) => option(String(n), String(n))));
  if (![...$("category").options].some((one) => one.value === chosen)) $("category").append(option(chosen, chosen));
  $("category").value = chosen;
}

function put(document_) {
  file = structuredClone(document_);
  file.fitting ??= {};
  categories();
  fill();
}

// solving and asking

const point = () => AXES.map((axis) => Number($(`s-${axis}`).value));
const same = (one, other) => one && other && one.every((value, i) => Math.abs(value - other[i]) < 1e-6);
const names = () => ({ now: "this fitting", before: same(against, middle) ? "worn today" : "compared" });

function outputs() {
  const [category, height, toe, speed] = point();
  $("o-category").textContent = String(category);
  $("o-height_mm").textContent = units === "metric" ? `${height} mm` : `${(height / 25.4).toFixed(2)} in`;
  $("o-toe_out_deg").textContent = `${toe}°`;
  $("o-speed_m_s").textContent = `${speed.toFixed(2)} m/s`;
}

const explore = guarded(async () => {
  if (!$("form").reportValidity()) return;
  const found = await (await ask("explore", { document: file })).json();
  middle = against = found.middle;
  now = before = between = null;
  seen = -1;
  for (const axis of AXES) {
    const slider = $(`s-${axis}`), { value, least, most, step } = found.axes[axis];
    Object.assign(slider, { min: least, max: most, step, disabled: least === most });
    slider.value = value;
  }
  $("keep").disabled = $("reset").disabled = $("sheet").disabled = false;
  outputs();
  setTimeout(watch, 200);
});

async function watch() {
  const progress = await (await ask("progress")).json();
  $("progress").max = progress.total || 1;
  $("progress").value = progress.done;
  const left = progress.left_s, minutes = left === null || left === undefined ? "" : `, about ${left < 90 ? `${left} s` : `${Math.ceil(left / 60)} min`} left`;
  const text = progress.done >= progress.total
    ? `All ${progress.total} strides are done.` + (progress.failed.length ? ` ${progress.failed.length} could not be run.` : "")
    : progress.done ? `Solving: ${progress.done} of ${progress.total} strides${minutes}.`
      : "Solving the first stride; the very first on a machine also compiles, which takes minutes.";
  if ($("working").textContent !== text) $("working").textContent = text;
  if (progress.done !== seen) {
    seen = progress.done;
    refresh();
  }
  if (progress.done < progress.total) setTimeout(watch, 700);
}

/** Ask for the point on the sliders; one question at a time, the latest wins. */
async function refresh() {
  wanted = true;
  if (busy) return;
  busy = true;
  try {
    while (wanted) {
      wanted = false;
      const asked = point(), began = performance.now();
      between = await (await ask("at", { point: asked, against })).json();
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
  }
}

const STATES = {
  solved: "Solved for exactly this fitting.",
  between: "An estimate between solved strides. Let go of the slider to have it solved exactly.",
  unknown: "Not known yet: it lies beyond what is solved so far. Let go of the slider to have it solved.",
};

function present() {
  const solving = wait.has(point().join(" "));
  $("state").textContent = now.state === "failed"
    ? `This fitting could not be run: ${now.why}.`
    : solving && now.state === "between" ? "An estimate between solved strides; being solved exactly now."
      : solving && now.state === "unknown" ? "Being solved." : STATES[now.state];
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
  const [first, second] = between.story || (same(point(), against) ? ["This is the fitting compared with: move a slider to see what changes.", ""] : ["", ""]);
  $("story-1").textContent = first;
  $("story-2").textContent = second;
  paint();
}

const wait = new Set();
let pause = 0;
const release = () => { // keys change a slider step by step: wait for the last
  clearTimeout(pause);
  pause = setTimeout(exactly, 400);
};
const exactly = guarded(async () => {
  const asked = point();
  wait.add(asked.join(" "));
  await ask("solve", { point: asked });
  refresh();
  setTimeout(watch, 100);
});

// time

function paint() {
  const speed = point()[3] || 3;
  draw($("now"), now && now.scene, frame, $("look").value, turn, speed);
  if (!$("before-figure").hidden) draw($("before"), before && before.scene, frame, $("look").value, turn, against ? against[3] : speed);
  $("frame").value = String(Math.floor(frame));
}

function tick(time) {
  if (playing && now && now.scene) {
    const { frames, times } = now.scene;
    frame = (frame + ((time - last) / 1000 / Number($("slow").value) / times[0]) * frames) % frames;
    paint();
  }
  last = time;
  requestAnimationFrame(tick);
}

function play(on) {
  playing = on;
  $("play").textContent = on ? "Pause" : "Play";
}

function step(by) {
  play(false);
  frame = (frame + by + 96) % 96;
  paint();
}

function keep(chosen) {
  against = chosen;
  refresh();
}

const download = async (answer, name) => {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(await answer.blob()), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};
const fileName = () => ((file.runner || {}).name || "").replace(/[^\p{L}\p{N}]+/gu, "-").toLowerCase() || "runner";

function listen() {
  for (const field of fields) field.addEventListener("input", () => take(field));
  $("form").addEventListener("submit", (event) => {
    event.preventDefault();
    explore();
  });
  $("units").addEventListener("change", () => {
    units = $("units").value;
    fill();
    if (middle) outputs();
  });
  $("open").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", guarded(async () => {
    const chosen = $("file").files[0];
    $("file").value = "";
    if (!chosen) return;
    if (!chosen.name.endsWith(".toml") || chosen.size > MOST_BYTES) throw new Error("Choose a runner's file (.toml) of at most 60 kB.");
    const found = await (await ask("open", { text: await chosen.text() })).json();
    if (found.blade) offer([...facts.blades.filter((one) => one.name !== found.blade.name), found.blade]);
    put(found.document);
  }));
  $("save").addEventListener("click", guarded(async () => download(await ask("save", { document: file }), `${fileName()}.toml`)));
  $("sheet").addEventListener("click", guarded(async () => {
    $("working").textContent = "Writing the sheet…";
    await download(await ask("sheet", { point: point() }), `${fileName()}-sheet.pdf`);
    $("working").textContent = "The sheet is written.";
  }));
  for (const axis of AXES) {
    $(`s-${axis}`).addEventListener("input", () => {
      outputs();
      refresh();
    });
    $(`s-${axis}`).addEventListener("change", release);
  }
  $("both").addEventListener("change", () => {
    $("before-figure").hidden = !$("both").checked;
    paint();
  });
  $("keep").addEventListener("click", () => keep(point()));
  $("sure").addEventListener("click", guarded(async () => {
    $("sure").disabled = true;
    await ask("vary", { point: point(), against });
    watch();
  }));
  $("reset").addEventListener("click", () => {
    AXES.forEach((axis, i) => ($(`s-${axis}`).value = middle[i]));
    outputs();
    keep(middle);
  });
  $("play").addEventListener("click", () => play(!playing));
  $("back").addEventListener("click", () => step(-1));
  $("forth").addEventListener("click", () => step(1));
  $("frame").addEventListener("input", () => {
    play(false);
    frame = Number($("frame").value);
    paint();
  });
  $("look").addEventListener("change", () => {
    turn = 0;
    paint();
  });
  for (const button of document.querySelectorAll("[data-moment]")) {
    button.addEventListener("click", () => {
      if (!now || !now.scene) return;
      play(false);
      frame = [0, now.scene.times[1], now.scene.times[2]][Number(button.dataset.moment)] * now.scene.frames;
      paint();
    });
  }
  for (const canvas of [$("now"), $("before")]) {
    canvas.addEventListener("pointermove", (event) => {
      if (!(event.buttons & 1)) return;
      turn += event.movementX * 0.5;
      paint();
    });
  }
  window.addEventListener("resize", paint);
}

facts = await (await ask("facts")).json();
offer(facts.blades);
put(facts.first);
listen();
play(!window.matchMedia("(prefers-reduced-motion: reduce)").matches);
requestAnimationFrame(tick);
document.body.dataset.ready = "yes";
