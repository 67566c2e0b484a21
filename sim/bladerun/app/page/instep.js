// The predicted runner in step with the film: at the same part of the stride, from the same side.

import { eventsOf } from "./marks.js";
import { draw } from "./scene.js";

/** Frames of a leg's marked strides: [touchdown, toe-off where it is marked, next touchdown] each. */
function whole(leg) {
  const all = eventsOf(leg), downs = all.filter((one) => one.event === "touchdown").map((one) => one.frame);
  return downs.slice(1).map((next, i) => {
    const off = all.find((one) => one.event === "toe-off" && one.frame > downs[i] && one.frame < next);
    return [downs[i], off && off.frame, next];
  });
}

/** The same of the shown leg, with every toe-off; by the other leg's marks where it has none. */
function strides(scene) {
  const [, , up, later] = scene.times, other = scene.side === "left" ? "right" : "left";
  const mine = whole(scene.side).map(([down, off, next]) => [down, off ?? down + up * (next - down), next]);
  if (mine.length) return mine;
  return whole(other).map(([down, , next]) => {
    const from = down - later * (next - down);
    return [from, from + up * (next - down), from + next - down];
  });
}

/** Which part of the predicted stride a frame of the film is, 0 to 1; null where no stride is marked. */
function phase(scene, frame) {
  const all = strides(scene), up = scene.times[2];
  if (!all.length) return null;
  const last = all.at(-1);
  const [down, off, next] = all.find(([from, , to]) => frame >= from && frame < to) || (frame < all[0][0] ? all[0] : last);
  const turned = (((frame - down) % (next - down)) + next - down) % (next - down) + down; // outside, the same stride again
  return turned < off ? (up * (turned - down)) / (off - down) : up + ((1 - up) * (turned - off)) / (next - off);
}

/** Frames of a moment of a leg, in turn: 0 touchdown, 1 bent most, 2 toe-off, 3 so much of the swing later. */
export function moments(now, what, leg, swing) {
  if (!now || !now.scene) return [];
  const { side, times: [, deepest, up] } = now.scene, all = leg === side ? strides(now.scene) : whole(leg);
  return all.filter(([, off]) => off !== undefined).map(([down, off, next]) => {
    const part = leg === side ? deepest / up : 0.5; // of the contact; a sound leg is about in the middle of it then
    return Math.round([down, down + part * (off - down), off, off + swing * (next - off)][what]);
  });
}

export function paintBeside(canvas, now, { frame, view, to }) {
  const scene = now && now.scene, title = document.getElementById("film-runner-title");
  const share = scene && phase(scene, frame);
  const text = !scene ? "Predicted: press “Predict running” first"
    : share === null ? "Predicted, worn today: mark a stride to run in step" : `Predicted, worn today, ${Math.round(100 * share)} % of the ${scene.side} leg's stride`;
  if (title.textContent !== text) title.textContent = text;
  const turn = view === "side" && scene && to !== scene.side ? 180 : 0; // a right blade is seen running to the right
  const part = share || 0;
  if (scene) draw(canvas, scene, { frame: part * scene.frames, view, turn, ahead: part * scene.times[0] * now.speed });
  else draw(canvas, null, {});
}
