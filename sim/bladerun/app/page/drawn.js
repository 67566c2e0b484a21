// Parts of drawings and of text. Text goes in as text, never as markup.

const NS = "http://www.w3.org/2000/svg";

export const svg = (name, attributes = {}, text) => {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
};
export const html = (name, className, text) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};
export const drawing = (width, height, says) =>
  svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": says });
export const short = (value, digits = 0) =>
  value === null || value === undefined ? "–" : (Number(value.toFixed(digits)) || 0).toFixed(digits).replace("-", "−");
