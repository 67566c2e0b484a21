// The sliders: a point around the fitting in the runner's file.

import { moveMarks } from "./curves.js";
import { $, AXES, desk } from "./desk.js";
import { shownUnits } from "./form.js";

export const point = () => AXES.map((axis) => Number($(`s-${axis}`).value));
export const same = (one, other) => one && other && one.every((value, i) => Math.abs(value - other[i]) < 1e-6);
export const names = () => ({ now: "this fitting", before: same(desk.against, desk.solved.middle) ? "worn today" : "compared" });

export function outputs() {
  const [category, height, toe, speed] = point();
  $("o-category").textContent = String(category);
  $("o-height_mm").textContent = shownUnits() === "metric" ? `${height} mm` : `${(height / 25.4).toFixed(2)} in`;
  $("o-toe_out_deg").textContent = `${toe}°`;
  $("o-speed_m_s").textContent = `${speed.toFixed(2)} m/s`;
  moveMarks(point());
}

export const places = () => ({ chosen: $("over"), table: $("curves"), under: Object.fromEntries(AXES.map((axis) => [axis, $(`c-${axis}`)])) });

export function sliders({ axes, document: { fitting } }, values) {
  $("apart").hidden = !["left", "right"].some((leg) => Object.keys(fitting[leg] || {}).length);
  AXES.forEach((axis, i) => {
    const slider = $(`s-${axis}`), { value, least, most, step } = axes[axis];
    Object.assign(slider, { min: least, max: most, step, disabled: least === most });
    slider.value = values ? values[i] : value;
  });
  $("keep").disabled = $("reset").disabled = false;
  outputs();
}

/** Let a slider go as far as these values. */
export function reach(axis, values) {
  const slider = $(`s-${axis}`);
  slider.min = Math.min(slider.min, ...values);
  slider.max = Math.max(slider.max, ...values);
}
