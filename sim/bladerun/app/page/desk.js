// What is on the desk: what the program knows, whose running was predicted, and the answers about it.

import { ask as question } from "./talk.js";

export const AXES = ["category", "height_mm", "toe_out_deg", "speed_m_s"];
export const $ = (id) => document.getElementById(id);

/**
 * facts: what the program knows. example: a runner to show before. saved: the document as it was opened or saved last. solved: the document predicted,
 * its run, its sliders. against: the point compared with. now, before, between: answers of the sliders, of what it is
 * compared with, of the two. today: that of what is worn today, to run beside a film. halted: stopped. held: a slider.
 */
export const desk = {
  example: null,
  facts: null, saved: "", solved: null, against: null,
  now: null, before: null, between: null, today: null, halted: false, held: false,
};

/** A question about what is solved. */
export function ask(path, content = {}) {
  const run = desk.solved && desk.solved.run;
  return question(path, { run, ...content }).catch((error) => {
    throw Object.assign(error, { run });
  });
}
