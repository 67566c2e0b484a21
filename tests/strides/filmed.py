"""Where points of a stride are on a film that `render_video` made of it, and marks that a careful eye sets.

Takes a Stride dataset, a view and the size of its pictures; gives pixels and frames.
"""

import math

import numpy as np

from bladerun.gait.events import Leg
from bladerun.show import _stage

FILMED_HZ, SIZE = 240.0, (640, 360)
FOVY_DEG = 45.0  # of MuJoCo's free camera
SWING_SHARE = 0.2
SIDES = ("right", "left")


class Film:
    """A film of `stride`, by a right leg or both, from a `view` of `render_video`."""

    def __init__(self, stride, view):
        self.stride, self.view = stride, view
        self.legs = {side: Leg(stride, side) for side in SIDES}
        self.period = self.legs["right"].period

    def pixel(self, point, time):
        """Of a point (m, in the frame that runs along) at a time, right and down."""
        azimuth, elevation = map(math.radians, _stage.VIEWS[self.view])
        to = np.array(
            [
                math.cos(elevation) * math.cos(azimuth),
                math.cos(elevation) * math.sin(azimuth),
                math.sin(elevation),
            ]
        )
        right = np.cross(to, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        up = np.cross(right, to)
        seen = np.asarray(point) - [0.0, 0.0, _stage._LOOK_AT_M] + _stage._DISTANCE_M * to
        scale = SIZE[1] / 2 / math.tan(math.radians(FOVY_DEG) / 2) / (seen @ to)
        return SIZE[0] / 2 + scale * (seen @ right), SIZE[1] / 2 - scale * (seen @ up)

    def site(self, name, side, time):
        return np.array([float(axis(time % self.period)) for axis in self.legs[side].site(name)])

    def frame(self, time):
        """The first one at or after that time."""
        return math.ceil(time * FILMED_HZ - 1e-6)

    def events(self, strides):
        """Touchdowns and toe-offs of both legs."""
        found = []
        for side, leg in self.legs.items():
            for k in range(strides):
                found += [
                    {"leg": side, "event": event, "frame": self.frame(time + k * self.period)}
                    for event, time in (("touchdown", leg.down), ("toe-off", leg.up))
                ]
        return found

    def mark(self, side, point, frame, place):
        x, y = self.pixel(place, frame / FILMED_HZ)
        return {"leg": side, "point": point, "frame": frame, "x": round(x, 1), "y": round(y, 1)}

    def length(self, ends, time):
        """A known length between two points (m)."""
        (a, b), (c, d) = (self.pixel(end, time) for end in ends)
        return {"mm": 1e3 * math.dist(*ends), "from_x": a, "from_y": b, "to_x": c, "to_y": d}


def from_the_side(film, strides):
    """Marks of the near leg, the right one, at each of its touchdowns."""
    leg, points = film.legs["right"], []
    low = "blade_clamp" if leg.has_blade else "ankle"
    for k in range(strides):
        frame = film.frame(leg.down + k * film.period)
        time = frame / FILMED_HZ
        places = {"hip": film.site("hip", "right", time), "knee": film.site("knee", "right", time)}
        places["ankle"] = film.site(low, "right", time)
        places["ground"] = np.append(leg.pressure_centre(leg.down), 0.0)
        points += [film.mark("right", name, frame, place) for name, place in places.items()]
    thigh = (film.site("hip", "right", leg.down), film.site("knee", "right", leg.down))
    return {"points": points, "length": film.length(thigh, leg.down)}


def from_behind(film, strides):
    """Marks of both PSIS where each leg is compressed most, of knee and tip of a blade in early swing."""
    points = []
    for side, leg in film.legs.items():
        for k in range(strides):
            frame = round((leg.deepest + k * film.period) * FILMED_HZ)
            points += [
                film.mark(name, "psis", frame, film.site("psis", name, frame / FILMED_HZ)) for name in SIDES
            ]
            swing = SWING_SHARE * (leg.down + leg.period - leg.up)
            for time in (leg.up, leg.up + swing) if leg.has_blade and k + 1 < strides else ():
                frame = film.frame(time + k * film.period)
                points += [
                    film.mark(side, name, frame, film.site(site, side, frame / FILMED_HZ))
                    for name, site in (("knee", "knee"), ("tip", "blade_tip"))
                ]
    level = [[0.0, y, 0.85] for y in (-0.25, 0.25)]
    return {"points": points, "length": film.length(level, 0.0)}
