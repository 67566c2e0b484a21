// The film beside the prediction: a video that this browser alone opens, moved frame by frame. Only marks leave the
// browser, as numbers, to the program on this machine.

import { forget, listed, marksOf, mark, paintMarks, pointAt, reach, start as startMarks, within } from "./marks.js";
import { paintBeside, moments } from "./instep.js";
import { showSeen } from "./seen.js";

const RATES = [24, 25, 30, 48, 50, 60, 100, 120, 200, 240, 480, 960];
const NOTHING = { rows: [], words: "", notes: [] };
const $ = (id) => document.getElementById(id);

let page, film, frame = 0, first = 0, wanted = null, address = "", asking = 0;

const plays = () => Number($("film-plays").value.replace(",", ".")) || 30;
const filmed = () => Number($("film-filmed").value.replace(",", ".")) || plays();
const frames = () => Math.max(1, Math.round(film.duration * plays()));
const open = () => Boolean(address) && film.readyState > 0;
const said = (text) => {
  if ($("film-said").textContent !== text) $("film-said").textContent = text;
};

/** Everything that depends on the frame that is shown, or on the marks. */
export function paintFilm() {
  if (!open()) return;
  $("film-frame").max = String(frames() - 1);
  $("film-frame").value = String(frame);
  $("film-at").textContent = `frame ${frame}, ${(frame / filmed()).toFixed(3)} s`;
  paintMarks($("film-marks"), film, frame);
  paintBeside($("film-runner"), page.now(), { frame, view: $("film-view").value, to: $("film-to").value });
}

/** Show a frame; while one is looked for the latest wins. */
function show(to) {
  if (!open()) return;
  frame = Math.min(frames() - 1, Math.max(0, Math.round(to)));
  paintFilm();
  if (wanted !== null || film.seeking) {
    wanted = frame;
    return;
  }
  film.currentTime = Math.min(film.duration, first + (frame + 0.5) / plays());
}

function step(by) {
  film.pause();
  show(frame + by);
}

/** Which frame is on the screen, while it plays. */
function follow(_, { mediaTime }) {
  if (!film.paused) {
    frame = Math.max(0, Math.round((mediaTime - first) * plays()));
    paintFilm();
  }
  film.requestVideoFrameCallback(follow);
}

/** How many frames a second the file plays, by the time between those that come; 0 where this browser cannot tell. */
async function rate() {
  if (!("requestVideoFrameCallback" in film)) return 0;
  const times = [];
  await new Promise((done) => {
    const end = setTimeout(done, 4000);
    const each = (_, { mediaTime }) => {
      times.push(mediaTime);
      if (times.length < 9) return film.requestVideoFrameCallback(each);
      clearTimeout(end);
      done();
    };
    film.requestVideoFrameCallback(each);
    film.playbackRate = 0.25; // so that none is left out
    film.play().catch(done);
  });
  film.pause();
  first = times.length ? Math.min(...times) : 0;
  const steps = times.slice(1).map((time, i) => time - times[i]).filter((gap) => gap > 1e-4).sort((a, b) => a - b);
  if (!steps.length) return 0;
  const found = 1 / steps[Math.floor(steps.length / 4)];
  const near = RATES.find((one) => Math.abs(found / one - 1) < 0.02);
  return near || Number(found.toFixed(2));
}

async function take(file) {
  if (address) URL.revokeObjectURL(address);
  address = URL.createObjectURL(file);
  said("Opening…");
  $("film-desk").hidden = true;
  const failed = await new Promise((done) => {
    film.onerror = () => done(true);
    film.onloadeddata = () => done(false);
    film.src = address;
    film.load();
  });
  if (failed) {
    address = "";
    said("This browser cannot play that file. MP4 (H.264) and WebM play everywhere.");
    return;
  }
  forget();
  $("film-desk").hidden = false;
  const told = await rate();
  $("film-plays").value = String(told || 30);
  $("film-filmed").value = "";
  $("film-filmed").placeholder = String(told || 30);
  said(told ? `${file.name}: plays ${told} frames a second. Was it filmed in slow motion? Then say at how many.`
    : `${file.name}: say how many frames a second it plays, and was filmed at.`);
  wanted = null;
  show(0);
  look();
  listed(page.side());
  await compare();
}

/** Forget film and marks: they are of another runner. */
export function closeFilm() {
  if (address) URL.revokeObjectURL(address);
  address = "";
  $("film-desk").hidden = true;
  said("");
  forget();
}

/** The picture as the view has it. */
function look() {
  const side = page.side();
  if (!$("film-to").dataset.chosen) $("film-to").value = side;
  $("film-to-part").hidden = $("film-view").value !== "side";
}

/** Ask what the marks say; the answer to the latest question counts. */
async function compare() {
  const mine = ++asking, made = marksOf();
  const marks = made.events.length || made.points.length
    ? { view: $("film-view").value, filmed_hz: filmed(), runs_to: $("film-to").value, ...made } : null;
  if (!marks && !page.kept()) return showSeen(NOTHING, keep);
  try {
    const found = await page.ask(marks);
    if (mine === asking) showSeen(found, keep, page.kept());
  } catch (error) {
    if (mine === asking) showSeen({ ...NOTHING, notes: [error.message] }, keep, page.kept());
  }
}

function keep(measured) {
  page.keep(measured);
  compare();
}

/** The chosen leg's next such moment, by the marks and the prediction; the first again after the last. */
function jump(what) {
  const found = moments(page.now(), what, $("film-leg").value, page.swing);
  if (!found.length) return said("Predict running, and mark a stride of this leg, touchdown to touchdown: then it goes there.");
  film.pause();
  show(found.find((one) => one > frame + 0.5) ?? found[0]);
}

function changed() {
  paintFilm();
  clearTimeout(changed.timer);
  changed.timer = setTimeout(compare, 250);
}

const KEYS = { ",": -1, ".": 1, "[": -10, "]": 10 };

function keys(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.key in KEYS) step(KEYS[event.key]);
  else if (event.key === "t" || event.key === "o") mark(event.key === "t" ? "touchdown" : "toe-off", frame);
  else return;
  event.preventDefault();
}

/** given: of the page: now(), the answer of what is worn today; side(), of the blade; kept(), of the file; ask(marks);
 * keep(measured); swing, the share of it over which a whip is looked at. */
export function beginFilm(given) {
  page = given;
  film = $("film-video");
  startMarks(changed, () => frame);
  $("film-open").addEventListener("click", () => $("film-file").click());
  $("film-file").addEventListener("change", () => {
    const chosen = $("film-file").files[0];
    $("film-file").value = "";
    if (chosen) take(chosen);
  });
  film.addEventListener("seeked", () => {
    const next = wanted;
    wanted = null;
    if (next !== null) show(next);
    paintFilm();
  });
  if ("requestVideoFrameCallback" in film) film.requestVideoFrameCallback(follow);
  film.addEventListener("play", () => ($("film-play").textContent = "Pause"));
  film.addEventListener("pause", () => ($("film-play").textContent = "Play"));
  $("film-play").addEventListener("click", () => {
    film.playbackRate = Number($("film-slow").value);
    if (film.paused) film.play();
    else step(0);
  });
  $("film-slow").addEventListener("change", () => (film.playbackRate = Number($("film-slow").value)));
  for (const button of document.querySelectorAll("[data-film-step]")) {
    button.addEventListener("click", () => step(Number(button.dataset.filmStep)));
  }
  for (const button of document.querySelectorAll("[data-film-moment]")) {
    button.addEventListener("click", () => jump(Number(button.dataset.filmMoment)));
  }
  $("film-frame").addEventListener("input", () => {
    film.pause();
    show(Number($("film-frame").value));
  });
  $("film-to").addEventListener("change", () => ($("film-to").dataset.chosen = "yes"));
  $("film-view").addEventListener("change", () => {
    forget();
    look();
    listed(page.side());
  });
  for (const id of ["film-view", "film-to", "film-plays", "film-filmed"]) {
    $(id).addEventListener("change", () => {
      show(frame);
      changed();
    });
  }
  const canvas = $("film-marks");
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointAt(within(canvas, film, event));
    paintFilm();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!(event.buttons & 1)) return;
    pointAt(within(canvas, film, event));
    paintFilm();
  });
  canvas.addEventListener("pointerup", (event) => reach(within(canvas, film, event), frame));
  canvas.addEventListener("keydown", (event) => {
    const far = event.shiftKey ? 10 : 1;
    const by = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] }[event.key];
    if (by) pointAt(by, film);
    else if (event.key === "Enter") reach(null, frame);
    else return;
    event.preventDefault();
    paintFilm();
  });
  $("film-desk").addEventListener("keydown", keys);
  $("film-list").addEventListener("click", (event) => {
    if (event.target.dataset.frame !== undefined) step(Number(event.target.dataset.frame) - frame);
  });
  window.addEventListener("resize", paintFilm);
  compare();
}

/** The runner in the form is another, or was predicted anew. */
export function filmChanged() {
  if (!page) return;
  look();
  listed(page.side());
  changed();
}
