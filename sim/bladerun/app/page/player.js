// The moving runner: which moment of the stride is drawn, from where, and the buttons for it.

import { draw } from "./scene.js";

const FRAMES = 96;
const $ = (id) => document.getElementById(id);

let shown, playing = false, frame = 0, turn = 0, last = 0;

export function paint() {
  const { now, before, speeds } = shown();
  const [speed, other] = [speeds[0] || 3, speeds[1] || speeds[0] || 3];
  draw($("now"), now && now.scene, frame, $("look").value, turn, speed);
  if (!$("before-figure").hidden) draw($("before"), before && before.scene, frame, $("look").value, turn, other);
  $("frame").value = String(Math.floor(frame));
}

function tick(time) {
  const { now } = shown();
  if (playing && now && now.scene) {
    const { frames, times } = now.scene;
    frame = (frame + ((time - last) / 1000 / Number($("slow").value) / times[0]) * frames) % frames;
    paint();
  }
  last = time;
  requestAnimationFrame(tick);
}

export function play(on) {
  playing = on;
  $("play").textContent = on ? "Pause" : "Play";
}

function step(by) {
  play(false);
  frame = (frame + by + FRAMES) % FRAMES;
  paint();
}

/** Begin to draw what `given` gives: the answers now and before, and the speeds of both. */
export function stage(given) {
  shown = given;
  $("both").addEventListener("change", () => {
    $("before-figure").hidden = !$("both").checked;
    paint();
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
      const { now } = shown();
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
  requestAnimationFrame(tick);
}
