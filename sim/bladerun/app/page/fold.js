// The form folds to one line once a runner is predicted, and opens again for a change.

import { $ } from "./desk.js";

export const folded = () => document.body.classList.contains("folded");

export function fold(away) {
  const inside = $("form").contains(document.activeElement);
  document.body.classList.toggle("folded", away);
  $("change").setAttribute("aria-expanded", String(!away));
  $("change").textContent = away ? "Change" : "Fold the form";
  if (away && inside) $("change").focus();
}

export function beginFold() {
  $("change").addEventListener("click", () => {
    fold(!folded());
    if (!folded()) $("name").focus();
  });
}
