"""The outcomes of a runner from marks on a film: moments on frames, points and a length on pictures.

Takes `Marks` as numbers and the model of who ran; gives `Seen`: outcomes by the definitions of predictions,
each with how far off the frame rate and the marks leave it. The film itself is never here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, NamedTuple

import mujoco
import numpy as np

from bladerun._lib.data_files import toml
from bladerun._lib.kinds import SIGNED, Number, Record, Word, check
from bladerun.errors import InputError
from bladerun.model import Model
from bladerun.motion._film_steps import FRAME, SIDES, Contact, Event, contacts, timing
from bladerun.seen import Seen, Value

POINTS = {  # by view: what can be marked on a picture, of the leg that is said
    "side": ("hip", "knee", "ankle", "ground", "shoulder"),
    "behind": ("psis", "sole_rear", "sole_front", "knee", "tip"),
}
_LEG = Word(SIDES)
_MOST = 2000  # marks


class Spot(NamedTuple):
    """A point of the body on a frame, pixels right and down; an ankle may be the blade's clamp."""

    leg: Annotated[str, _LEG]
    point: Annotated[str, Word(tuple(dict.fromkeys(sum(POINTS.values(), ()))))]
    frame: Annotated[float, FRAME]
    x: SIGNED
    y: SIGNED


class Length(NamedTuple):
    """A known length on the picture, as far from the camera as the runner: mm, and its ends in pixels."""

    mm: Annotated[float, Number(50.0, 3000.0, "mm", to=float)]
    from_x: SIGNED
    from_y: SIGNED
    to_x: SIGNED
    to_y: SIGNED


@dataclass(frozen=True)
class Marks:
    """What was marked on one film.

    Parameters
    ----------
    view
        From where: "side" or "behind".
    filmed_hz
        Frames that the camera took a second, however fast the file plays.
    runs_to
        Where the runner runs to on the picture, "right" or "left"; from behind it does not matter.
    events, points, length
        The marks.

    Raises
    ------
    InputError
        For what is not allowed.
    """

    view: Annotated[str, Word(tuple(POINTS), listed=True)]
    filmed_hz: Annotated[float, Number(10.0, 2000.0, "frames a second", to=float)]
    runs_to: Annotated[str, Word(("right", "left"))] = "right"
    events: tuple[Event, ...] = ()
    points: tuple[Spot, ...] = ()
    length: Length | None = None

    def __post_init__(self) -> None:
        check(self)
        if len(self.events) + len(self.points) > _MOST:
            raise InputError(f"more than {_MOST} marks")


class _Body(NamedTuple):
    """What the model says of a leg: angle (rad) of knee and the point marked as its ankle when the leg is
    straight, and the length of its sole (mm)."""

    knee: float
    sole_mm: float


class _Camera(NamedTuple):
    """How the camera stood, unknown but for its spread: off level and off square (rad), and how much longer
    a millimetre was than the known length says."""

    roll: float = 0.0
    turn: float = 0.0
    stretch: float = 0.0


def seen(marks: Marks, model: Model, speed_m_s: float, affected: str = "right") -> tuple[Seen, list[str]]:
    """What the marks say of the runner.

    Parameters
    ----------
    marks
        Of one film.
    model
        The runner on today's fitting: where a straight knee is, and how long soles are.
    speed_m_s
        How fast the runner ran.
    affected
        The leg that asymmetries are counted from, "left" or "right".

    Returns
    -------
    tuple of Seen and list of str
        The outcomes that could be had, with mean, SD between strides and accuracy, the SD that clicks, frames
        and the camera leave in the mean: to first order, by the spreads of models/motion.toml [film]. And a
        sentence for each mark that gives nothing.

    Raises
    ------
    InputError
        For marks that contradict each other.
    """
    body = {leg: _body(model, leg) for leg in SIDES}
    nominal, said = _values(marks, _Camera(), body, affected)
    off: dict[str, float] = dict.fromkeys(nominal, 0.0)
    for other, camera in _moved(marks):
        values = _values(other, camera, body, affected, strict=False)[0]
        for column in off.keys() & values.keys():
            off[column] += (_mean(column, values) - _mean(column, nominal)) ** 2
    found = {column: _value(column, nominal, math.sqrt(off[column])) for column in nominal}
    return Seen(speed_m_s, found), said


def _value(column: str, values: Mapping[str, list[float]], accuracy: float) -> Value:
    each = values[column]
    sd = float(np.std(each, ddof=1)) if len(each) > 1 else None
    return Value(_mean(column, values), accuracy, sd, len(each))


def _mean(column: str, values: Mapping[str, list[float]]) -> float:
    return float(np.mean(values[column]))


def _body(model: Model, leg: str) -> _Body:
    """Standing straight, as the model is made."""
    mj, s = model.mj, leg[0]
    data = mujoco.MjData(mj)
    mujoco.mj_kinematics(mj, data)
    names = {mj.site(i).name for i in range(mj.nsite)}
    low = f"ankle_{s}" if f"ankle_{s}" in names else f"blade_clamp_{s}"
    hip, knee, ankle = (data.site(name).xpos for name in (f"hip_{s}", f"knee_{s}", low))
    if f"toe_{s}" in names:
        sole = data.site(f"toe_{s}").xpos - data.site(f"heel_{s}").xpos
    else:  # spheres of a blade's sole are numbered from its rear
        mine = [mj.geom(i).id for i in range(mj.ngeom) if mj.geom(i).name.startswith(f"contact_{s}_")]
        sole = data.geom_xpos[mine[-2:]].mean(0) - data.geom_xpos[mine[:2]].mean(0)
    bent = _from_down(*(knee - hip)[[0, 2]]) - _from_down(*(ankle - knee)[[0, 2]])
    return _Body(bent, 1e3 * math.hypot(sole[0], sole[1]))


def _from_down(forward: float, up: float) -> float:
    """Angle (rad) of a line from straight down, forward positive."""
    return math.atan2(forward, -up)


def _moved(marks: Marks) -> Iterator[tuple[Marks, _Camera]]:
    """The marks again with each number off by its SD, one after the other."""
    known = toml("motion.toml")["film"]
    for i, event in enumerate(marks.events):
        later = event._replace(frame=event.frame + known["event_frames"])
        yield replace(marks, events=(*marks.events[:i], later, *marks.events[i + 1 :])), _Camera()
    yield marks, _Camera(roll=math.radians(known["roll_deg"]))
    yield marks, _Camera(turn=math.radians(known["turn_deg"]))
    if marks.length is None:
        return
    px_per_mm = 1 / _mm_per_px(marks.length)
    click_px = math.hypot(known["click_px"], known["click_mm"] * px_per_mm)
    yield marks, _Camera(stretch=known["scale_share"])
    yield marks, _Camera(stretch=math.sqrt(2) * click_px / (marks.length.mm * px_per_mm))
    for axis in ("x", "y"):
        for i in range(len(marks.points)):
            yield _shifted(marks, axis, [i], click_px), _Camera()
        for what in {(spot.leg, spot.point) for spot in marks.points}:
            placed = known["psis_placed_mm" if what[1] == "psis" else "placed_mm"]
            same = [i for i, spot in enumerate(marks.points) if (spot.leg, spot.point) == what]
            yield _shifted(marks, axis, same, placed * px_per_mm), _Camera()


def _shifted(marks: Marks, axis: str, which: list[int], by_px: float) -> Marks:
    moved = list(marks.points)
    for i in which:
        moved[i] = moved[i]._replace(**{axis: getattr(moved[i], axis) + by_px})
    return replace(marks, points=tuple(moved))


def _mm_per_px(length: Length) -> float:
    px = math.hypot(length.to_x - length.from_x, length.to_y - length.from_y)
    if px < 1:
        raise InputError("the ends of the known length are the same point", key="length")
    return length.mm / px


def _values(
    marks: Marks, camera: _Camera, body: Mapping[str, _Body], affected: str, *, strict: bool = True
) -> tuple[dict[str, list[float]], list[str]]:
    """Every outcome of every stride by its column, and what gave none. strict: refuse what cannot be."""
    downs = contacts(marks.events, strict=strict)
    values = timing(downs, marks.filmed_hz, affected)
    if marks.length is None:
        return values, ["no known length is marked: without it points give nothing"] if marks.points else []
    pictures, said = _Pictures(marks, marks.length, camera), []
    near = toml("motion.toml")["film"]["nearby_frames"]
    for (leg, frame), points in pictures.by_leg():
        rows: dict[str, float] = {}
        if marks.view == "side":
            if not any(abs(frame - each.down) <= near for each in downs[leg]):
                said.append(f"points of the {leg} leg on frame {frame:.0f}: it has no touchdown there")
                continue
            rows = _from_the_side(points, pictures, body[leg].knee)
        elif "sole_front" in points and "sole_rear" in points:
            rows = _pointing(points, pictures, leg, body[leg].sole_mm)
        for key, value in rows.items():
            values.setdefault(f"{key}_{leg}", []).append(value)
    if marks.view == "behind":
        said += _level(pictures, downs, values)
        _whip(pictures, downs, values, near)
    return values, said


class _Pictures:
    """Marked points by leg and frame, turned level: pixels right and up. mm: of a pixel."""

    def __init__(self, marks: Marks, length: Length, camera: _Camera):
        self.mm = _mm_per_px(length) * (1 + camera.stretch)
        self.ahead = 1.0 if marks.runs_to == "right" else -1.0
        self.turn = camera.turn
        c, s = math.cos(camera.roll), math.sin(camera.roll)
        self.places: dict[tuple[str, float], dict[str, np.ndarray]] = {}
        for spot in marks.points:
            where = np.array([c * spot.x - s * spot.y, -(s * spot.x + c * spot.y)])
            self.places.setdefault((spot.leg, spot.frame), {})[spot.point] = where

    def by_leg(self) -> Iterator[tuple[tuple[str, float], dict[str, np.ndarray]]]:
        return iter(sorted(self.places.items(), key=lambda item: item[0]))


def _from_the_side(
    points: Mapping[str, np.ndarray], pictures: _Pictures, straight: float
) -> dict[str, float]:
    """Knee, lean and landing of one touchdown."""

    def line(a: str, b: str) -> tuple[float, float]:
        right, up = points[b] - points[a]
        return pictures.ahead * right / math.cos(pictures.turn), up

    rows = {}
    if {"hip", "knee", "ankle"} <= points.keys():
        bent = _from_down(*line("hip", "knee")) - _from_down(*line("knee", "ankle")) - straight
        rows["knee_flexion_touchdown_deg"] = math.degrees((bent + math.pi) % (2 * math.pi) - math.pi)
    if {"hip", "shoulder"} <= points.keys():
        rows["trunk_lean_touchdown_deg"] = math.degrees(math.atan2(*line("hip", "shoulder")))
    if {"hip", "ground"} <= points.keys():
        rows["landing_offset_hip_m"] = 1e-3 * pictures.mm * line("hip", "ground")[0]
    return rows


def _outward(leg: str) -> float:
    """From behind, right on the picture is right of the runner."""
    return 1.0 if leg == "right" else -1.0


def _pointing(
    points: Mapping[str, np.ndarray], pictures: _Pictures, leg: str, sole_mm: float
) -> dict[str, float]:
    """Where the sole points, from how far aside its front is of its rear; half a right angle at most."""
    aside = _outward(leg) * pictures.mm * (points["sole_front"] - points["sole_rear"])[0] / sole_mm
    if not abs(aside) < math.sqrt(0.5):
        return {}
    return {"foot_progression_deg": math.degrees(math.asin(aside) + pictures.turn)}


def _level(
    pictures: _Pictures, downs: Mapping[str, list[Contact]], values: dict[str, list[float]]
) -> list[str]:
    """Both PSIS on a frame in the contact of a leg are looked at as its greatest compression."""
    said = []
    for frame in sorted({frame for _, frame in pictures.places}):
        both = [pictures.places.get((leg, frame), {}).get("psis") for leg in SIDES]
        if both[0] is None or both[1] is None:
            continue
        leg = next((leg for leg in SIDES for c in downs[leg] if c.down <= frame <= c.up), None)
        if leg is None:
            said.append(f"the PSIS on frame {frame:.0f}: no contact is marked around it")
            continue
        across = _outward(leg) * (both[1] - both[0])[1]
        width = abs((both[1] - both[0])[0])
        values.setdefault(f"pelvic_obliquity_deg_{leg}", []).append(math.degrees(math.atan2(across, width)))
        values.setdefault(f"psis_difference_mm_{leg}", []).append(pictures.mm * across)
    return said


def _whip(
    pictures: _Pictures, downs: Mapping[str, list[Contact]], values: dict[str, list[float]], near: float
) -> None:
    """How far the tip swings outward of the knee from toe-off to the share of swing that outcomes have."""
    share = toml("outcomes.toml")["whip"]["swing_share"]
    for leg in SIDES:
        for contact in downs[leg]:
            later = contact.up + share * (contact.next_down - contact.up)
            ends = [_knee_to_tip(pictures, leg, frame, near) for frame in (contact.up, later)]
            if ends[0] is None or ends[1] is None:
                continue
            moved = pictures.mm * (ends[1] - ends[0])
            back = math.hypot(*moved)  # what it moves in depth is about what it moves up
            out = _outward(leg) * moved[0] + back * math.sin(pictures.turn)
            values.setdefault(f"tip_swing_mm_{leg}", []).append(out)


def _knee_to_tip(pictures: _Pictures, leg: str, frame: float, near: float) -> np.ndarray | None:
    for (side, when), points in pictures.places.items():
        if side == leg and abs(when - frame) <= near and {"knee", "tip"} <= points.keys():
            return points["tip"] - points["knee"]
    return None


def marks_of(given: Any) -> Marks:
    """Marks as the page sends them, a table of tables and lists. Raises InputError."""
    return Record(Marks).read(given, "marks")
