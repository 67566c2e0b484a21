// The example runner: somebody moves before anybody is predicted, and it is said that it is somebody else.

import { $, desk } from "./desk.js";
import { unpack } from "./scene.js";
import { measures } from "./whose.js";

/** Whether nothing of the runner asked about can be shown yet. */
const waits = () => !desk.now || (!desk.now.scene && !desk.today && desk.now.state !== "failed");

/** The answer whose scene is shown, and its speed unless the sliders say it. */
export const shownNow = () => (desk.example && waits() ? desk.example : desk.now);

export function sayExample() {
  const shown = desk.example && waits();
  $("example").hidden = !shown;
  $("now-title").hidden = Boolean(shown);
  if (!shown) return;
  const { document: of, speed } = desk.example;
  $("example").textContent = `An example, not your runner: ${measures(of)}, ${speed} m/s`;
  if (!desk.solved) $("now").setAttribute("aria-label", "An example runner; yours is not predicted yet");
}

export async function beginExample() {
  const { document: of, scene } = await (await fetch("/page/example.json")).json();
  desk.example = { document: of, scene: unpack(scene), speed: of.task.speed_m_s };
  sayExample();
}
