"""What if the runner did not adapt: the muscle controls and feedback of one stride, on another fitting.

Takes a solved stride and another model of the same joints; gives the stride on which MuJoCo's forward
dynamics settle when nothing is optimised again, as a Stride dataset for `outcomes`, or the reason why there
is none. The opposite hypothesis to `solve`, which lets the runner adapt to everything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from bladerun._lib.data_files import toml
from bladerun.dataset.asked import asked_of, person_of
from bladerun.dataset.reading import has_muscles
from bladerun.errors import InputError, StartError
from bladerun.fitting import altered
from bladerun.forward.replay import Replay, replay
from bladerun.model import Model, build_model
from bladerun.status import Status
from bladerun.stride import result, solver
from bladerun.stride.motion import control_points
from bladerun.stride.problem import problem
from bladerun.stride.transcription.blocks import NODE


def hold(stride: xr.Dataset, model: Model, *, strides: int | None = None) -> xr.Dataset:
    """The stride of `model` under the controls of `stride`.

    Muscles keep their activations over time, motors their moments, and the feedback that kept the runner on
    the old stride still pulls towards it. The simulation starts in the swing of the leg with the blade.

    Parameters
    ----------
    stride
        The old stride, solved.
    model
        The same runner on another fitting.
    strides
        After how many the stride is taken; by default as models/replay.toml says.

    Returns
    -------
    xarray.Dataset
        The last of them as a stride. Attributes: status "held", or "fell" or "not settled" with `why`;
        feedback_share, root mean square of the feedback over the moments; drift_deg, how far a joint is from
        where it was a stride before. What the feedback gives stands in `reserve`. Where the runner fell the
        dataset holds the old stride's motion on the new model and is not to be used.

    Raises
    ------
    StartError
        Where the joints differ.
    """
    if tuple(stride.joint.values) != model.joints:
        raise StartError("controls can only be kept on a body of the same joints", key="model")
    facts, knots = toml("replay.toml")["held"], stride.sizes["time"]
    count, first = strides or facts["strides"], _mid_swing(stride)
    with threadpool_limits(1):
        done = replay(
            stride,
            strides=count,
            first=first,
            muscles=has_muscles(stride),
            integrator="implicitfast",
            timestep_s=facts["timestep_s"],
            model_xml=model.xml,
        )
        fell = done.strides < count
        whole = (first + len(done.q)) // knots - 1  # the last that runs from knot 0 to knot 0
        last = whole * knots - first
        q = stride.q.values if fell else done.q[last : last + knots]
        drift = np.inf if fell else float(np.degrees(np.abs(_change(done, knots))).max())
        held = _dataset(stride, model, q, 0 if fell else whole)
    limit = facts["drift_deg"]
    why = (
        f"the runner fell after {done.time[-1]:.2f} s"
        if fell
        else f"a joint still moves by {drift:.2g} deg from stride to stride"
        if drift > limit
        else ""
    )
    return held.assign_attrs(
        status=(Status.FELL if fell else Status.NOT_SETTLED if why else Status.HELD).value,
        why=why,
        iterations=0,
        seconds=0.0,
        knots=knots,
        objective=np.nan,
        residuals=json.dumps({}),
        feedback_share=done.feedback_share,
        drift_deg=drift,
    )


def other_fitting(stride: xr.Dataset, changed: Mapping[str, float]) -> Model:
    """The runner of a stride on its fitting with the `changed` settings. Raises InputError."""
    runner, amputation, worn = person_of(stride)
    if worn is None:
        raise InputError("there is no blade to change")
    return build_model(runner, amputation, altered(worn, **changed))


def _mid_swing(stride: xr.Dataset) -> int:
    """The knot where the leg with the blade, or the right one, is highest over the ground."""
    side = "left" if stride.attrs["amputation_side"] == "left" else "right"
    mine = stride.contact_side.values == side
    return int(stride.contact_position.sel(xyz="z").values[:, mine].min(axis=1).argmax())


def _change(done: Replay, knots: int) -> np.ndarray:
    """(knots, joints) from the last stride but one to the last, rad or m; not that of the pelvis' place."""
    return (done.q[-knots:] - done.q[-2 * knots : -knots])[:, 3:]


def _dataset(stride: xr.Dataset, model: Model, q: np.ndarray, number: int) -> xr.Dataset:
    """The periodic spline through q (knots, n) of stride `number`, with the old activations, as if solved."""
    speed, period = float(stride.attrs["speed_m_s"]), float(stride.attrs["stride_time_s"])
    asked = asked_of(stride)
    options = asked.options.changed({"knots": len(q)})
    posed = problem(model, asked.task, asked.cost, asked.environment, options)
    around = q.copy()
    around[:, 0] -= speed * (number * period + stride.time.values)
    point = solver.Point(
        control_points(around),
        result.times_of(stride),
        np.zeros_like(q),
        stride.activation.values[::NODE].copy(),
    )
    return result.dataset(posed, point, solver.at_knots(posed.arrays, point))
