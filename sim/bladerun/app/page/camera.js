// A camera that runs along beside the runner: from metres, x forward, y left, z up, to the picture.

const VIEWS = { side: [0, 7], behind: [90, 7], front: [-90, 7], above: [0, 89] }; // turned, tilted down, degrees
const MIDDLE = [0, 0, 0.87]; // what it looks at
const AWAY_M = 6; // of the eye from there
const NEAR_M = 0.5; // what is nearer to the eye is not drawn
const HIGH_M = 2.14, WIDE_M = 1.9; // of the picture, at the middle

const dot = (u, v) => u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
const from = (p) => [p[0] - MIDDLE[0], p[1] - MIDDLE[1], p[2] - MIDDLE[2]];

/**
 * at: the place on the picture of a point; scale: pixels a metre there; away: its distance along the view; right, up:
 * of the picture, in the world; horizon: its height on the picture; seen: the part of a line or convex shape in front
 * of the eye.
 */
export function camera(width, height, view, turned) {
  const [azimuth, tilt] = VIEWS[view], a = ((azimuth + turned) * Math.PI) / 180, e = (tilt * Math.PI) / 180;
  const right = [Math.cos(a), -Math.sin(a), 0];
  const towards = [-Math.sin(a) * Math.cos(e), -Math.cos(a) * Math.cos(e), Math.sin(e)]; // to the eye
  const up = [Math.sin(a) * Math.sin(e), Math.cos(a) * Math.sin(e), Math.cos(e)];
  const pixels = AWAY_M * Math.min(height / HIGH_M, width / WIDE_M);
  const away = (p) => AWAY_M - dot(towards, from(p));
  const scale = (p) => pixels / away(p);
  const at = (p) => [width / 2 + scale(p) * dot(right, from(p)), height / 2 - scale(p) * dot(up, from(p))];
  const seen = (points) => points.flatMap((p, i) => {
    const q = points[(i + 1) % points.length], [near, next] = [away(p) - NEAR_M, away(q) - NEAR_M];
    const crossing = (near > 0) !== (next > 0) && (points.length > 2 || i === 0);
    const cut = crossing ? [p.map((x, k) => x + ((q[k] - x) * near) / (near - next))] : [];
    return near > 0 ? [p, ...cut] : cut;
  });
  return { at, scale, away, right, up, horizon: height / 2 - pixels * Math.tan(e), seen };
}
