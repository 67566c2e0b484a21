// What the marks say, beside the prediction, and the way into the runner's file. Text goes in as text, never as markup.

import { html } from "./drawn.js";
import { canonical } from "./form.js";

const WORDS = { agrees: "agrees", differs: "differs", "cannot tell": "cannot tell (one stride)" };
const $ = (id) => document.getElementById(id);

/** found: measured, rows, words, notes, as the program says; kept: what the runner's file has. */
export function showSeen({ measured, rows, words, notes }, keep, kept) {
  const cells = rows.map((row) => {
    const line = html("tr", row.verdict === "differs" ? "differs" : ""), name = html("th", "", row.leg ? `${row.title}, ${row.leg}` : row.title);
    name.scope = "row";
    const seen = html("td"), unit = row.unit === "°" ? "°" : row.unit ? ` ${row.unit}` : "";
    seen.append(html("b", "", row.seen), html("small", "", `${row.margin ? ` ± ${row.margin}` : ""}${unit}`));
    line.append(name, seen, html("td", "", row.predicted === "–" ? "–" : `${row.predicted}${unit}`), html("td", "", WORDS[row.verdict] || ""));
    return line;
  });
  $("film-result").hidden = !rows.length && !notes.length && !kept;
  $("film-table").hidden = !rows.length;
  $("film-table").tBodies[0].replaceChildren(...cells);
  $("film-words").textContent = words ? words.replace(/^./, (c) => c.toUpperCase()) : "";
  $("film-notes").replaceChildren(...notes.map((note) => html("li", "", `${note.replace(/^./, (c) => c.toUpperCase())}`)));
  const same = canonical(measured || null) === canonical(kept || null);
  $("film-keep").disabled = !measured || same;
  $("film-keep").onclick = () => keep(measured);
  $("film-drop").hidden = !kept;
  $("film-drop").onclick = () => keep(undefined);
  $("film-kept").textContent = !kept ? "" : same ? "In the runner's file, as [measured]: press “Save” to keep the file."
    : "The runner's file has other values of a film.";
}
