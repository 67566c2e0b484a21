// Whose results are shown: what is shown of a prediction belongs to the runner it was made for, and to no other.

import { $, desk } from "./desk.js";
import { filmChanged } from "./film.js";
import { canonical, kind, predicted, shownUnits, written } from "./form.js";
import { point } from "./sliders.js";

const KEPT = "bladerun"; // in this window, until it is closed

export const basis = (document) => canonical(predicted(document));
export const changed = () => desk.solved && (desk.solved.run === null || basis(written()) !== desk.solved.text);

/** Of a runner's file: mass, height, side. */
export function measures({ runner, amputation }) {
  const [mass, kg] = kind("mass"), [length, m] = kind("length");
  return `${Number((runner.mass_kg / kg).toFixed(1))} ${mass}, ${Number((runner.height_m / m).toFixed(1))} ${length}, ${amputation.side}`;
}

function whose() {
  const { document: of, where } = desk.solved;
  return `${of.runner.name || "Runner without a name"}, ${measures(of)}${where ? `, ${where}` : ""}`;
}

/** Show whether the results are of what stands in the form. */
export function mark() {
  const stale = Boolean(changed()), taken = desk.solved && desk.solved.run === null;
  document.body.classList.toggle("stale", stale);
  document.body.classList.toggle("predicted", Boolean(desk.solved));
  $("whose").textContent = !desk.solved ? "" : taken
    ? `These results are of ${whose()}. Another runner was begun with since, in another window, or the program was started anew: “Predict running” goes on with this one.`
    : stale ? `These results are of ${whose()}, not of what stands in the form now. “Predict running” brings those.` : whose();
  $("who").textContent = desk.solved ? `· ${stale ? "results of " : ""}${desk.solved.document.runner.name || "runner without a name"}` : "";
  $("change").hidden = !desk.solved;
  $("undo").hidden = !stale || taken;
  for (const id of ["shown", "first", "story", "results", "landing", "curves"]) $(id).inert = stale;
  $("sheet").disabled = !desk.solved || stale;
  filmChanged();
  keepHere();
}

/** Keep what is typed and predicted for a reload of this window. */
export function keepHere() {
  const { saved, solved, against } = desk;
  try {
    const here = { file: written(), blades: desk.facts.blades, units: shownUnits(), saved, solved, against, point: solved && point() };
    sessionStorage.setItem(KEPT, JSON.stringify(here));
  } catch {} // a window may have no storage: then nothing is kept
}

/** What `keepHere` kept, if anything. */
export function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT));
  } catch {
    return null;
  }
}
