// The form is the runner's file: everything that a file sets is shown in it and can be changed. Numbers stand in the
// file's units there and in the shown ones here; what the program refuses is said in the shown ones, at the field.

import { fold } from "./fold.js";

const KINDS = {
  metric: { mass: ["kg", 1], length: ["cm", 0.01], small: ["mm", 1], percent: ["%", 0.01] },
  imperial: { mass: ["lb", 0.45359237], length: ["in", 0.0254], small: ["in", 25.4], percent: ["%", 0.01] },
};
const LOOKS = { // units that a number may have been meant in, in the file's
  mass: { kilograms: 1, pounds: 0.45359237, stone: 6.35029318, grams: 0.001 },
  length: { metres: 1, centimetres: 0.01, millimetres: 0.001, inches: 0.0254, feet: 0.3048 },
  small: { millimetres: 1, centimetres: 10, metres: 1000, inches: 25.4 },
  percent: { "a share of 1": 1 },
};
const WRITTEN = new Set(["amputation.level"]); // shown as text
const $ = (id) => document.getElementById(id);
const all = (what) => [...document.querySelectorAll(what)];
const make = (name, given = {}) => Object.assign(document.createElement(name), given);
const plain = (name) => name.replaceAll("_", " ").replace(/^./, (c) => c.toUpperCase());

let facts, file = {}, units = "metric", changed = () => {};

/** The runner's file as it stands in the form. */
export const written = () => file;
export const shownUnits = () => units;
export const kind = (name) => KINDS[units][name];

const BESIDE = ["measured", "visit"]; // sections that change nothing that is predicted

const parted = (document, inside) => Object.fromEntries(Object.entries(document).filter(([name]) => BESIDE.includes(name) === inside));

/** What of the file, or of a document, is beside the prediction; and what the prediction is of. */
export const beside = () => parted(file, true);
export const predicted = (document) => parted(document, false);

/** Put what was seen on a film into the file; nothing takes it out. */
export function putMeasured(measured) {
  if (measured) file.measured = measured;
  else delete file.measured;
  changed();
}

/** The same text for the same document, in whatever order it was filled in. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const parts = Object.keys(value).sort().map((key) => [key, canonical(value[key])]);
  return `{${parts.filter(([, text]) => text !== "{}").map(([key, text]) => `${JSON.stringify(key)}:${text}`).join()}}`;
}

const fields = () => all("#form [data-key]");
const factor = (field) => (field.dataset.kind ? KINDS[units][field.dataset.kind][1] : 1);
const look = (path) => path.reduce((place, key) => (place === undefined || place === null ? undefined : place[key]), file);
const shown = (value, field) => (typeof value === "number" ? String(Number((value / factor(field)).toFixed(3))) : String(value));

function set(path, value) {
  const [section, ...keys] = path, last = keys.pop();
  file[section] ??= {};
  const place = keys.reduce((at, key) => (typeof at[key] === "object" ? at[key] : (at[key] = {})), file[section]);
  if (value !== undefined) place[last] = value;
  else {
    delete place[last];
    if (keys.length && !Object.keys(place).length) set([section, ...keys], undefined);
  }
}

function read(field) {
  const text = field.value.trim();
  if (text === "") return undefined;
  if (field.dataset.number === undefined) return field.dataset.key === "fitting.category" && text !== "recommended" ? Number(text) : field.value;
  const number = Number(text.replace(",", "."));
  return Number.isFinite(number) ? Number((number * factor(field)).toFixed(6)) : text;
}

const limitsOf = (joint) => {
  const { minimum, maximum } = facts.keys.runner.joint_range_deg.properties[joint].items;
  return [minimum, maximum];
};

function take(field) {
  const path = field.dataset.key.split(".");
  if (path[1] === "joint_range_deg") {
    const ends = all(`[data-key="${field.dataset.key}"]`), values = ends.map(read), limits = limitsOf(path[2]);
    set(path, values.every((v) => v === undefined) ? undefined : values.map((v, i) => v ?? limits[i]));
  } else set(path, read(field));
  if (path[1] === "strength") { // one number for all muscles, or one for each group
    for (const other of all("[data-key^='runner.strength']")) if ((other.dataset.key === "runner.strength") !== (path.length === 2)) other.value = "";
  }
  if (field.id === "blade") categories();
  told(null);
  count();
  changed();
}

function fill() {
  for (const field of fields()) {
    let value = look(field.dataset.key.split("."));
    if (field.dataset.end) value = value && value[Number(field.dataset.end)];
    field.value = value === undefined || typeof value === "object" ? "" : shown(value, field);
    if (!field.value && field.dataset.usual) field.value = field.dataset.usual;
  }
  for (const place of all("[data-unit]")) place.textContent = KINDS[units][place.dataset.unit][0];
  besides();
  count();
}

/** What the file sets that has no field of its own, nor is shown with the film: each with its value, to change or remove. */
function besides() {
  const known = new Set([...fields().map((field) => field.dataset.key), ...WRITTEN]);
  const leaves = (value, path) => (value !== null && typeof value === "object" && !Array.isArray(value)
    ? Object.entries(value).flatMap(([key, each]) => leaves(each, [...path, key])) : [[path, value]]);
  const rows = leaves(file, []).filter(([path]) => !known.has(path.join(".")) && path.length > 1 && path[0] !== "measured");
  $("besides").hidden = !rows.length;
  $("besides-rows").replaceChildren(...rows.map(([path, value], i) => {
    const row = make("div", { className: "beside" }), id = `beside-${i}`;
    const input = make("input", { id, value: JSON.stringify(value) });
    const away = make("button", { type: "button", textContent: "Remove" });
    input.dataset.beside = path.join(".");
    away.setAttribute("aria-label", `Remove ${path.join(" ")}`);
    input.addEventListener("input", () => {
      try {
        set(path, JSON.parse(input.value));
      } catch {
        set(path, input.value);
      }
      told(null);
      changed();
    });
    away.addEventListener("click", () => {
      set(path, undefined);
      besides();
      count();
      changed();
    });
    row.append(make("label", { htmlFor: id, textContent: `[${path[0]}] ${path.slice(1).join(".")}` }), input, away);
    return row;
  }));
}

/** How much is set in what is folded away, which `put` opens where something is. */
function count() {
  for (const part of all("#form .fold")) {
    const inside = [...part.querySelectorAll("[data-key], [data-beside]")].filter((f) => f.value.trim() && f.value !== f.dataset.usual);
    const number = new Set(inside.map((f) => f.dataset.key || f.dataset.beside)).size;
    part.querySelector(".count").textContent = number ? ` (${number} set)` : "";
  }
}

function categories() {
  const blade = facts.blades.find((one) => one.name === (file.fitting || {}).blade) || facts.blades[0];
  const option = (value, text) => make("option", { value, textContent: text });
  const chosen = String((file.fitting || {}).category ?? "recommended");
  $("category").replaceChildren(option("recommended", "by weight"), ...blade.categories.map((n) => option(String(n), String(n))));
  if (![...$("category").options].some((one) => one.value === chosen)) $("category").append(option(chosen, chosen));
  $("category").value = chosen;
}

function offer(blades) {
  facts.blades = blades;
  $("blade").replaceChildren(...blades.map((one) => make("option", { value: one.name, textContent: one.title })));
}

/** Show a document, all of it; blade: one of the runner's own, to offer besides. */
export function put(document_, blade) {
  if (blade) offer([...facts.blades.filter((one) => one.name !== blade.name), blade]);
  file = structuredClone(document_);
  file.fitting ??= {};
  told(null);
  categories();
  fill();
  for (const part of all("#form .fold")) part.open = Boolean(part.querySelector(".count").textContent);
  for (const part of all("#more details")) part.open = [...part.querySelectorAll("[data-key]")].some((field) => field.value);
  changed();
}

export function showUnits(name) {
  units = name;
  told(null);
  fill();
}

// what is refused

const titleOf = (field) => (field.dataset.title || $("form").querySelector(`label[for="${field.id}"]`).textContent.split(",")[0]);

function fieldOf(key) {
  const found = /^\[(\w+)\] ?(.*)$/.exec(key || "");
  if (!found) return null;
  const path = `${found[1]}.${found[2]}`, every = [...fields(), ...all("[data-beside]")];
  const named = (name) => every.find((field) => (field.dataset.key || field.dataset.beside) === name);
  return named(path) || (named(path) === undefined && every.find((field) => (field.dataset.beside || "").startsWith(path))) || null;
}

function sentence(field, error) {
  const title = titleOf(field), text = field.value.trim();
  if (!text && /^missing/.test(error.what)) return `${title}: is needed`;
  if (!error.allowed) return `${title}: ${error.what}`;
  const [unit, size] = field.dataset.kind ? kind(field.dataset.kind) : ["", 1];
  const number = Number(text.replace(",", ".")), [low, high] = error.allowed;
  const end = (value, round) => String(round(Number(((10 * value) / size).toFixed(4))) / 10).replace("-", "−");
  const range = `${title}: ${end(low, Math.ceil)} to ${end(high, Math.floor)}${unit ? ` ${unit}` : ""}`;
  if (!Number.isFinite(number)) return `${range}; “${text}” is no number`;
  const meant = Object.entries(LOOKS[field.dataset.kind] || {}).find(([, other]) => Math.abs(other / size - 1) > 0.01 && number * other >= low && number * other <= high);
  return text ? `${range}; ${text} ${meant ? `looks like ${meant[0]}` : "is not"}` : range;
}

/** Say what was refused: beside its field, which is given the focus, and beside the button. Whether there is one. */
export function told(error) {
  for (const old of all(".wrong")) old.remove();
  for (const field of all("#form [aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
  $("refused").textContent = "";
  const field = error && fieldOf(error.key);
  if (!field) return false;
  const says = sentence(field, error), id = `${field.id}-wrong`;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", id);
  field.after(make("p", { id, className: "wrong", textContent: says }));
  $("refused").textContent = says;
  fold(false);
  for (let part = field.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  field.focus();
  return true;
}

/** What the file's description says of a field: its words, the usual one, how long it may be. */
function describe(field) {
  const [section, key] = field.dataset.key.split("."), known = facts.keys[section][key];
  if (known.maxLength) field.maxLength = known.maxLength;
  if (!known.enum) return;
  const words = known.enum.filter((word) => word !== "none"); // the form is for those who wear a blade
  field.append(...words.map((word) => make("option", { value: word, textContent: word })));
  if (words.includes(known.default)) field.dataset.usual = known.default;
}

/** Build what depends on facts, and call `onChange` whenever the file changes. */
export function begin(known, onChange) {
  facts = known;
  changed = onChange;
  offer(facts.blades);
  for (const field of fields()) describe(field);
  const groups = facts.keys.runner.strength.anyOf.find((one) => one.properties).properties;
  $("groups").append(...Object.keys(groups).sort().flatMap((group) => {
    const id = `strength-${group}`, input = make("input", { id, inputMode: "decimal", placeholder: "100" });
    Object.assign(input.dataset, { key: `runner.strength.${group}`, kind: "percent", number: "" });
    return [make("label", { htmlFor: id, textContent: `${plain(group)}, %` }), input];
  }));
  $("joints").append(...Object.keys(facts.keys.runner.joint_range_deg.properties).flatMap((joint) => {
    const row = make("div", { className: "pair" });
    row.append(...limitsOf(joint).map((limit, end) => {
      const input = make("input", { id: `joint-${joint}-${end}`, inputMode: "decimal", placeholder: String(limit) });
      Object.assign(input.dataset, { key: `runner.joint_range_deg.${joint}`, number: "", end: String(end), title: plain(joint) });
      input.setAttribute("aria-label", `${plain(joint)}, ${end ? "greatest" : "least"} angle, °`);
      return input;
    }));
    return [make("span", { className: "name", textContent: `${plain(joint)}, °` }), row];
  }));
  for (const field of fields()) field.addEventListener("input", () => take(field));
}
