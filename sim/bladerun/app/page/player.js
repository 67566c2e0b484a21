// The moving runners: which moment of the stride is drawn, from where, and the buttons for it.

import { draw } from "./scene.js";

const $ = (id) => document.getElementById(id);

let shown, playing = false, last = 0, turn = 0;
let moment = 0; // 0 touchdown, 1 bent most, 2 toe-off, up to 3, the next touchdown: the same one for every runner
let strides = 0; // behind us, so that the track passes by without a jump

/** Frames of the moments 0 to 3 in a scene. */
const marks = ({ times, frames }) => [0, times[1] * frames, times[2] * frames, frames];

/** The frame of a scene at a moment, 0 to 3. */
export function frameAt(scene, at) {
  const frames = marks(scene), k = Math.min(2, Math.floor(at));
  return frames[k] + (at - k) * (frames[k + 1] - frames[k]);
}

function momentAt(scene, frame) {
  const frames = marks(scene), k = [2, 1, 0].find((i) => frame >= frames[i]);
  return k + (frame - frames[k]) / (frames[k + 1] - frames[k] || 1);
}

function paintOne(canvas, scene, speed, ghost) {
  const frame = scene ? frameAt(scene, moment) : 0;
  const ahead = scene ? (strides + frame / scene.frames) * scene.times[0] * speed : 0;
  draw(canvas, scene, { frame, view: $("look").value, turn, ahead, ghost });
}

/** Draw what is shown. A ghost is of the other runner, at the same moment. */
export function paint() {
  const { now, before, speeds, apart } = shown(), other = before && before.scene, times = Number($("ghost").value);
  const ghost = now && now.scene && other && times && apart ? { scene: other, frame: frameAt(other, moment), times } : null;
  $("ghost-says").hidden = !ghost;
  paintOne($("now"), now && now.scene, speeds.now, ghost);
  if (!$("before-figure").hidden) paintOne($("before"), other, speeds.before, null);
  if (now && now.scene) $("frame").value = String(Math.floor(frameAt(now.scene, moment)));
}

function go(scene, frame) {
  strides += Math.floor(frame / scene.frames);
  moment = momentAt(scene, ((frame % scene.frames) + scene.frames) % scene.frames);
}

function tick(time) {
  const { now } = shown();
  if (playing && now && now.scene) {
    const { frames, times } = now.scene;
    go(now.scene, frameAt(now.scene, moment) + ((time - last) / 1000 / Number($("slow").value) / times[0]) * frames);
    paint();
  }
  last = time;
  requestAnimationFrame(tick);
}

export function play(on) {
  playing = on;
  $("play").textContent = on ? "Pause" : "Play";
}

function stop(frame) {
  const { now } = shown();
  play(false);
  if (now && now.scene) go(now.scene, frame(frameAt(now.scene, moment)));
  paint();
}

/**
 * Begin to draw what `given` gives: the answers now and before, their speeds, and whether they are of two fittings
 * (`apart`).
 */
export function stage(given) {
  shown = given;
  $("both").addEventListener("change", () => {
    $("before-figure").hidden = !$("both").checked;
    paint();
  });
  $("ghost").addEventListener("change", paint);
  $("play").addEventListener("click", () => play(!playing));
  $("back").addEventListener("click", () => stop((frame) => Math.ceil(frame) - 1));
  $("forth").addEventListener("click", () => stop((frame) => Math.floor(frame) + 1));
  $("frame").addEventListener("input", () => stop(() => Number($("frame").value)));
  $("look").addEventListener("change", () => {
    turn = 0;
    paint();
  });
  for (const button of document.querySelectorAll("[data-moment]")) {
    button.addEventListener("click", () => {
      play(false);
      moment = Number(button.dataset.moment);
      paint();
    });
  }
  for (const canvas of [$("now"), $("before")]) {
    canvas.addEventListener("pointermove", (event) => {
      if (!(event.buttons & 1)) return;
      turn += event.movementX * 0.5;
      paint();
    });
    new ResizeObserver(paint).observe(canvas);
  }
  requestAnimationFrame(tick);
}
