"""What a stride is weighed by, as the numbers the compiled sweep reads.

Takes a model, a speed and a number of knots (weights: `models/cost.toml`, `models/contact.toml`).
Gives `Terms`, and a first guess of the control points.
"""

import numpy as np
from numba import njit
from scipy.interpolate import CubicSpline

from bladerun._facts import toml
from bladerun._reference import Reference, reference
from bladerun.model import Model
from bladerun.stride._blocks import TIMES
from bladerun.stride._contact import Ground, ground
from bladerun.stride._dynamics import inverse, motion
from bladerun.stride._ground import add_contact
from bladerun.stride._kernel import Terms, spline
from bladerun.stride._links import Links, contact_spheres
from bladerun.stride._mesh import mesh
from bladerun.stride._muscles import Muscles
from bladerun.stride._targets import look_up

REACH_KNOTS = 60  # of a stride, at which the reference's range is looked up


def terms(model: Model, speed_m_s: float, knots: int, muscles: Muscles) -> Terms:
    """The cost of this model's stride at this speed, hard forces at weight 1 and multipliers 0.

    With `_muscles.none_of(muscles)` motors as strong as the muscles move the legs.
    """
    cost = toml("cost.toml")
    n, variation = len(model.joints), model.variation
    ref = reference(
        model.joints,
        speed_m_s,
        knots,
        leg_length_m=model.leg_length_m,
        amplitude=variation.reference_amplitude,
        later=variation.reference_phase,
        lean=variation.trunk_lean,
    )
    hard, locked = hard_joints(model, muscles), _locked(model, muscles)
    slide = np.array([j.startswith(("pelvis_t",)) and j[-2:] in ("tx", "ty", "tz") for j in model.joints])
    slide |= np.array(["pistoning" in j or "achilles" in j for j in model.joints])
    force, weight_n = cost["force"], model.mass_kg * 9.81
    scale = np.maximum(model.strength, 1e-9)
    for i, kind in enumerate(model.kind):
        if kind != "driven":
            scale[i] = weight_n * (1.0 if slide[i] else force[f"{kind}_m"])
    held_by_muscles = np.isin(np.arange(n), muscles.rows) & ~hard
    scale[held_by_muscles] *= toml("body.toml")["reserve"]["fraction"]
    target_weight, pace_weight = _tracking(model, ref, cost)
    target_weight[locked] = 1 / cost["tracking"]["locked_m"]
    limit = np.array(model.mj.jnt_range)
    limited = np.array(model.mj.jnt_limited, bool) & ~hard
    rate = cost["rate"]
    rates = np.array([rate["horizontal"], rate["horizontal"], rate["vertical"]])
    sides = _sides(model)
    return Terms(
        speed=float(speed_m_s),
        ground=ground(),
        muscles=muscles,
        force_scale=scale,
        force_weight=~locked
        * np.where(hard, 1.0, np.where(held_by_muscles, force["reserve"], force["moment"])),
        hard=hard,
        multiplier=np.zeros((knots, n)),
        power_weight=np.where(hard | held_by_muscles, 0.0, cost["power"]["weight"] / 1000),
        reference=_cubics(ref.q),
        target_weight=target_weight,
        pace_weight=pace_weight,
        sideways=_cubics(weight_n * ref.sideways[:, None]),
        sideways_weight=_tracked(model, cost) / (weight_n * cost["tracking"]["sideways_bw"]),
        limit=limit,
        limit_weight=np.where(limited, cost["limit"]["weight_rad"], 0.0),
        limit_round=np.full(n, cost["limit"]["round_rad"]),
        clearance=cost["clearance"]["height_m"],
        clearance_weight=_clearance(sides, knots, cost["clearance"]),
        contact=np.array([sides == "r", sides == "l"]),
        leaves=_leaves(model, speed_m_s, knots, cost["edge"]),
        edge_height=np.array([cost["edge"]["landing_m"], cost["edge"]["toe_off_m"]]),
        edge_weight=1 / cost["edge"]["off_m"],
        placement=np.array([-0.5, 0.5]) * ref.step_width_m,
        placement_weight=_placement(model, ref, cost),
        rate_weight=rates / (weight_n * rate["per_s"]),
        jerk_weight=1 / np.where(passive_joints(model), cost["jerk"]["passive"], cost["jerk"]["driven"]),
        effort_weight=_effort(muscles, cost["activation"]["effort"]),
        least=cost["activation"]["least"],
        bound_weight=cost["activation"]["bound"],
        excitation_weight=cost["activation"]["excitation"],
        times=ref.stride_time_s * (np.arange(TIMES) == 0),
        times_weight=cost["stride_time"]["weight"] / ref.stride_time_sd_s * (np.arange(TIMES) == 0),
    )


def reach(model: Model, speed_m_s: float) -> np.ndarray:
    """(n, 2) how far each joint goes in running: the reference's range and some more, within its limits."""
    ref = reference(model.joints, speed_m_s, REACH_KNOTS, leg_length_m=model.leg_length_m)
    low, high = model.mj.jnt_range.T
    spare = toml("cost.toml")["limit"]["spare_rad"]
    near = np.array([np.maximum(low, ref.q.min(0) - spare), np.minimum(high, ref.q.max(0) + spare)])
    return np.where(ref.tracked, near, [low, high]).T


def hard_joints(model: Model, muscles: Muscles) -> np.ndarray:
    """(n,) True where no motor acts: the pelvis, and joints that only springs, or muscles, move."""
    return np.array([kind != "driven" for kind in model.kind]) & ~_locked(model, muscles)


def _locked(model: Model, muscles: Muscles) -> np.ndarray:
    """(n,) True for the slides of series tendons, which nothing holds where muscles are not at work."""
    return _series(model) & (muscles.count == 0)


def _series(model: Model) -> np.ndarray:
    return np.array([j.startswith("achilles") for j in model.joints])


def passive_joints(model: Model) -> np.ndarray:
    """(n,) True for joints that only springs of their own move."""
    return np.array([kind == "passive" for kind in model.kind]) & ~_series(model)


def first_guess(model: Links, passive: np.ndarray, weight_n: float, t: Terms) -> np.ndarray:
    """Control points (N, n) of the reference motion, as high as lets the ground carry the weight.

    The `passive` joints (n, bool) give way as their springs do under the ground's force in each posture, so
    that a blade stands compressed and a longer leg does not carry everything.
    """
    m, target = motion(model), _targets(t)
    n = target.shape[1]
    poses, work = target.copy(), np.zeros((3, n, n))
    index = np.flatnonzero(passive)
    low, high = -0.4, 0.4  # m about standing height: a runner's pelvis is never further off
    for _ in range(14):
        middle = (low + high) / 2
        carried = 0.0
        for q, pose in zip(target, poses, strict=True):
            pose[2] = q[2] + middle
            carried += _settle(model, m, pose, index, t.ground, work)
        low, high = (middle, high) if carried / len(poses) > weight_n else (low, middle)
    return control_points(poses)


def _targets(t: Terms) -> np.ndarray:
    """(N, n) reference running at the knots, at its own times."""
    knots, n = t.multiplier.shape
    found = np.empty((knots, 4, n))
    for phase, out in zip(mesh(knots, t.times).phase, found, strict=True):
        look_up(t.reference, phase, out)
    return found[:, 0]


@njit(cache=True)
def _settle(model, m, q, index, ground, work):
    """Move the joints `index` of q (n,) to rest between springs and ground; gives the vertical force."""
    n, p = len(q), len(index)
    still = np.zeros(n)
    tau = np.zeros(n)
    A, b = np.zeros((p, p)), np.zeros(p)
    for _ in range(12):
        inverse(model, m, q, still, still, tau, True, work[0], work[1], work[2])
        add_contact(model, m, ground, tau, True, work[0], work[1])
        for x in range(p):
            b[x] = -tau[index[x]]
            for y in range(p):
                A[x, y] = work[0][index[x], index[y]]
        if p == 0:
            break
        step = np.linalg.solve(A, b)
        largest = np.abs(step).max()
        if largest > 0.1:
            step *= 0.1 / largest
        for x in range(p):
            q[index[x]] += step[x]
        if largest < 1e-3:
            break
    return m.sphere_force[:, 2].sum()


def control_points(q: np.ndarray) -> np.ndarray:
    """Control points (N, n) of the periodic cubic B-spline through q (N, n)."""
    knots = len(q)
    gain = (4 + 2 * np.cos(2 * np.pi * np.fft.rfftfreq(knots))) / 6
    return np.fft.irfft(np.fft.rfft(q, axis=0) / gain[:, None], n=knots, axis=0)


def at_points(c: np.ndarray, times: np.ndarray, speed: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """q, v, a (N, n) at the knots of control points c (N, n)."""
    q, v, a = np.zeros_like(c), np.zeros_like(c), np.zeros_like(c)
    spline(mesh(len(c), times), c, speed, q, v, a)
    return q, v, a


def required(model: Links, ground: Ground, q: np.ndarray, v: np.ndarray, a: np.ndarray) -> np.ndarray:
    """(N, n) what must act in each joint at these positions, velocities and accelerations (N, n)."""
    m, none = motion(model), np.zeros((q.shape[1], q.shape[1]))
    tau = np.zeros_like(q)
    for k in range(len(q)):
        inverse(model, m, q[k], v[k], a[k], tau[k], False, none, none, none)
        add_contact(model, m, ground, tau[k], False, none, none)
    return tau


def resample(c: np.ndarray, knots: int) -> np.ndarray:
    """Control points of (nearly) the same motion on another number of knots."""
    q = (np.roll(c, 1, 0) + 4 * c + np.roll(c, -1, 0)) / 6
    return control_points(_periodic(q)(np.arange(knots) / knots))


def _tracking(model: Model, ref: Reference, cost) -> tuple[np.ndarray, np.ndarray]:
    """Weights on position and on velocity, (n,) each."""
    weight, cost = _tracked(model, cost), cost["tracking"]
    sigma = cost["sigma_rad"]
    on_q, on_v = np.zeros((2, len(model.joints)))
    for i, joint in enumerate(model.joints):
        if joint in ("pelvis_tx", "pelvis_ty"):
            on_q[i] = weight / cost["drift_m"]
        elif joint == "pelvis_tz":
            on_v[i] = weight / cost["pelvis_height_m_s"]
        elif ref.tracked[i]:
            name = next(key for key in sigma if joint.startswith(key))
            on_q[i] = weight / sigma[name]
            if joint[-2:] in [f"_{s}" for s in _blades(model)] and joint.startswith(("hip", "knee")):
                on_q[i] *= cost["affected_leg"]
    return on_q, on_v


def _placement(model: Model, ref: Reference, cost) -> np.ndarray:
    """(2,) weight on where the right and the left foot stand: as if it counted at every moment of contact.

    The errors of both feet, taken as independent, add up to that of the step width.
    """
    contact = (ref.grf[:, 0, 2] > 0).mean()
    weight = _tracked(model, cost) * np.sqrt(2 * contact) / ref.step_width_sd_m
    less = cost["tracking"]["affected_leg"]
    return np.array([weight * (less if side in _blades(model) else 1.0) for side in "rl"])


def _tracked(model: Model, cost) -> float:
    """Weight on what is one sigma off reference running."""
    return cost["tracking"]["weight"] * model.variation.tracking_weight


def _blades(model: Model) -> str:
    """Sides that carry a blade."""
    return {"left": "l", "right": "r", "both": "lr", "none": ""}[model.amputation.side]


def _leaves(model: Model, speed_m_s: float, knots: int, cost) -> np.ndarray:
    """(2,) knots after its landing at which the right and the left foot leave the ground.

    For all like runners the same, near where an even mesh would have them.
    """
    share = np.interp(speed_m_s, *np.transpose(cost["toe_off_share"]))
    blades = _blades(model)
    less = [cost["affected"] if side in blades else cost["sound"] if blades else 1.0 for side in "rl"]
    even = mesh(knots, np.eye(TIMES)[0]).phase[: knots // 2]
    return np.array([np.abs(even - share * x).argmin() for x in less])


def _effort(muscles: Muscles, weight: float) -> np.ndarray:
    """(M,) weight on activation: its square counts in proportion to the muscle's volume."""
    volume = muscles.f0 * muscles.l0
    return np.sqrt(weight * volume / volume.sum())


def _sides(model: Model) -> np.ndarray:
    """(s,) "r" or "l" for each contact sphere."""
    return np.array([model.mj.geom(sphere).name.split("_")[1] for sphere in contact_spheres(model.mj)])


def _clearance(sides: np.ndarray, knots: int, cost) -> np.ndarray:
    """(N, s) weight on the height of each sphere: full in mid-swing of its side, 0 in stance."""
    start, end = cost["swing"]
    s = np.arange(knots)[:, None] / knots - 0.5 * (sides == "l")
    inside = np.clip(np.minimum(s % 1.0 - start, end - s % 1.0) / cost["ramp"], 0.0, 1.0)
    return cost["weight_m"] * np.sin(np.pi / 2 * inside) ** 2


def _cubics(values):
    """(R, 4, .) pieces of the periodic cubic through values (R, .), as `look_up` reads them."""
    return np.ascontiguousarray(_periodic(values).c.transpose(1, 0, 2))


def _periodic(q):
    return CubicSpline(np.arange(len(q) + 1) / len(q), np.vstack([q, q[:1]]), bc_type="periodic")
