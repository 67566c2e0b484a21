"""How much can come between a runner and the next stride: uneven ground, a push, a slip.

Takes a Stride dataset; gives `Margin`s: the largest disturbance of each kind after which MuJoCo's forward
dynamics, with the feedback of `verify` about the stride, still runs. Facts: models/perturbation.toml.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from bladerun._lib.data_files import toml
from bladerun.dataset.asked import environment_of
from bladerun.dataset.model_text import model_of
from bladerun.environment import Wrench
from bladerun.errors import one_of
from bladerun.forward._controller import Controller, controller_for
from bladerun.forward.replay import run
from bladerun.forward.simulator import SIDES, Simulator
from bladerun.model import joint_strength

KINDS = tuple(toml("perturbation.toml")["largest"])
_STILL = np.zeros(3)


@dataclass(frozen=True)
class Margin:
    """The largest disturbance survived.

    Attributes
    ----------
    kind
        One of `KINDS`, its unit in its name: a step of the ground, the impulse of a push at the pelvis, the
        share of its friction that the ground loses.
    side
        The leg on whose contact it comes.
    survived
        The largest that was run through, and all smaller ones that were tried; 0 where none was.
    failed
        The smallest that was not; None where the largest that is tried was survived.
    """

    kind: str
    side: str
    survived: float
    failed: float | None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def margins(
    stride: xr.Dataset,
    *,
    kinds: Iterable[str] = KINDS,
    progress: Callable[[Margin], None] | None = None,
) -> list[Margin]:
    """Disturb a stride on either leg, halving what is left between survived and not.

    The feedback is that of `verify`, linear; it has no reflexes and plans no step, and its moments end at
    what the joints can give. So margins compare strides, and are no forecast of whether a person falls.

    Parameters
    ----------
    stride
        What `solve` gave.
    kinds
        Which disturbances, of `KINDS`.
    progress
        Called with each margin when it is found.

    Returns
    -------
    list of Margin
        Of each kind and leg.

    Raises
    ------
    InputError
        For a kind that is none, and where the stride has not what a solved one has.
    """
    kinds = [one_of(kind, KINDS, "kinds") for kind in kinds]
    own = controller_for(stride)
    found = []
    for kind in kinds:
        for side in SIDES:
            found.append(_margin(stride, own, kind, side))
            if progress:
                progress(found[-1])
    return found


def _margin(stride: xr.Dataset, own: Controller, kind: str, side: str) -> Margin:
    facts = toml("perturbation.toml")
    largest = facts["largest"][kind]
    if survives(stride, kind, side, largest, driven_by=own):
        return Margin(kind, side, largest, None)
    low, high = 0.0, largest
    for _ in range(facts["run"]["halvings"]):
        middle = (low + high) / 2
        low, high = (middle, high) if survives(stride, kind, side, middle, driven_by=own) else (low, middle)
    return Margin(kind, side, low, high)


def survives(
    stride: xr.Dataset, kind: str, side: str, size: float, *, driven_by: Controller | None = None
) -> bool:
    """Whether the runner still runs some strides after a disturbance of this kind and size on one leg.

    Parameters
    ----------
    stride
        What `solve` gave.
    kind
        One of `KINDS`, with the unit of `size`.
    side
        "right" or "left", the leg on whose contact it comes.
    size
        How large it is.
    driven_by
        The controller, where one made before shall be used again.
    """
    own, facts = driven_by or controller_for(stride), toml("perturbation.toml")["run"]
    around = environment_of(stride)
    push = len(around.wrenches)
    around = replace(around, wrenches=(*around.wrenches, Wrench("pelvis")))
    simulator = Simulator(stride.attrs["model_xml"], around, own.driven)
    landing = own.knots + (side == "left") * own.knots // 2
    begin, end = landing - round(facts["lead"] * own.knots), landing + round(facts["contact"] * own.knots)
    landing_s = own.time_of(landing)
    ground, force_n = _disturbance(kind, side, size, facts["push_s"])

    def before(sample: int) -> None:
        simulator.ground_under(side, **(ground if begin <= sample < end else {}))
        pushed = sample >= landing and own.time_of(sample) < landing_s + facts["push_s"]
        simulator.push(push, force_n if pushed else _STILL)

    strength = joint_strength(model_of(stride)).max(1)
    mine = [list(stride.joint.values).index(name) for name in own.driven]
    most = np.maximum(strength[mine], np.abs(own.moment[3]).max(0))
    samples = facts["strides"] * own.knots
    step_s, pieces = facts["timestep_s"], facts["pieces"]
    motion = run(simulator, own, begin, samples, step_s, pieces=pieces, most=most, before=before)
    return sum(1 for _ in motion) == samples


def _disturbance(kind: str, side: str, size: float, push_s: float) -> tuple[dict[str, float], np.ndarray]:
    """What the ground is like under that leg, and the force (3,) N on the pelvis."""
    inward = 1.0 if side == "right" else -1.0
    way = {"forward": (1.0, 0.0), "back": (-1.0, 0.0), "inward": (0.0, inward), "outward": (0.0, -inward)}
    if kind == "slip_percent":
        return {"friction": 1 - size / 100}, _STILL
    if kind.startswith("step"):
        return {"height_m": (1e-3 if kind == "step_up_mm" else -1e-3) * size}, _STILL
    return {}, size / push_s * np.array([*way[kind.split("_")[1]], 0.0])
