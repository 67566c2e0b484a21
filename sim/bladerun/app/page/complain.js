// What went wrong, in one sentence; without a program it is asked for again until it answers.

import { $, desk } from "./desk.js";
import { told } from "./form.js";
import { ask as question } from "./talk.js";
import { mark } from "./whose.js";

let away = 0, goOn = () => {};

/** Call `act` with the document predicted once the program answers again. */
export const onReturn = (act) => (goOn = act);

export function complain(error) {
  if (error && error.run !== undefined && error.run !== (desk.solved && desk.solved.run)) return; // of a runner shown before
  $("error").textContent = "";
  if (error && error.gone) reconnect();
  if (error && error.key === "run") {
    if (desk.solved) desk.solved.run = null;
    mark();
  } else if (!told(error) && error) $("error").textContent = error.message;
}
export const guarded = (act) => async (...given) => {
  try {
    complain(null);
    await act(...given);
  } catch (error) {
    complain(error);
  }
};

/** Ask again until the program answers, then go on with what was predicted. */
function reconnect() {
  clearTimeout(away);
  away = setTimeout(async () => {
    try {
      await question("facts");
      $("error").textContent = "";
      if (desk.solved) await goOn(desk.solved.document);
    } catch (error) {
      complain(error);
    }
  }, 2000);
}
