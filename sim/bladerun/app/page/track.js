// Where the runner runs: a lane of a track from every side, marked every metre, which passes by below.

const SKY = "#e6eff6", HAZE = "#e3e8e4", GRASS = "#c9d6c3", TRACK = "#d9b9a6", LINE = "#ffffff", EDGE = "#e9d6cb";
const LANE_M = 1.22, LANES = 2; // lanes to either side of the runner's
const FAR_M = 60;

/** Draw it. ahead: how far the runner has run, m. */
export function drawTrack(pen, { at, seen, horizon }, width, height, ahead) {
  const shape = (points, colour) => {
    const clipped = seen(points);
    if (!clipped.length) return;
    pen.beginPath();
    clipped.map(at).forEach((p, i) => (i ? pen.lineTo(...p) : pen.moveTo(...p)));
    pen.closePath();
    pen.fillStyle = colour;
    pen.fill();
  };
  const strip = (x, y, colour) => shape([[x[0], y[0], 0], [x[1], y[0], 0], [x[1], y[1], 0], [x[0], y[1], 0]], colour);
  pen.fillStyle = SKY;
  pen.fillRect(0, 0, width, height);
  const top = Math.max(horizon, -height);
  const grass = pen.createLinearGradient(0, top, 0, Math.min(height, top + 0.35 * height));
  grass.addColorStop(0, HAZE);
  grass.addColorStop(1, GRASS);
  pen.fillStyle = grass;
  pen.fillRect(0, top, width, height - top);
  const wide = (LANES + 0.5) * LANE_M;
  strip([-FAR_M, FAR_M], [-wide, wide], TRACK);
  for (let k = -8; k <= 8; k++) {
    const x = k - (ahead % 1);
    strip([x - 0.015, x + 0.015], [-LANE_M / 2, LANE_M / 2], EDGE);
  }
  for (let k = -LANES - 1; k <= LANES; k++) {
    const y = (k + 0.5) * LANE_M;
    strip([-FAR_M, FAR_M], [y - 0.025, y + 0.025], LINE);
  }
}
