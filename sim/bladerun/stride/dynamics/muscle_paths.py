"""A compiled model's muscles as the plain arrays that the stride's compiled code reads.

Takes a `mujoco.MjModel`; gives `Muscles`. Path lengths, straight or wrapped, become polynomials of the joint
angles that they span, fitted to MuJoCo's own lengths and moment arms within the joints' reach.
"""

from functools import lru_cache
from itertools import product
from typing import NamedTuple

import mujoco
import numpy as np
from scipy.stats import qmc

from bladerun._lib.jitable import register_jitable
from bladerun.body.joints import without_side

SPAN = 4  # joints a path may span: three of the hip and the knee
DEGREE = {1: 7, 2: 6, 3: 5, 4: 5}  # of the polynomial, by joints spanned
POSES = 1024  # to which it is fitted
ARM_M = 0.1  # m/rad: arms count in the fit as lengths over this
PARTS = 1 + SPAN + SPAN * (SPAN + 1) // 2  # length, its slopes, its second derivatives (upper triangle)


class Muscles(NamedTuple):
    """M muscles and the springs in series with them: p paths in g groups that span the same joints. SI."""

    joints: np.ndarray  # (g, SPAN) joint indices
    span: np.ndarray  # (g,) how many of them
    centre: np.ndarray  # (g, SPAN) of the range that was fitted
    half: np.ndarray  # (g, SPAN) half its width
    powers: np.ndarray  # (g, t, SPAN) exponents of each monomial, lowest degree first
    terms: np.ndarray  # (g, 3) how many of them a length has, its slopes, its second derivatives
    first: np.ndarray  # (g + 1,) group k has the paths first[k]..first[k + 1]
    path: np.ndarray  # (p,) what pulls along it: a muscle, in the order of actuators, or M + a spring
    coefficient: np.ndarray  # (p, PARTS, t) of a length [m] and its derivatives by the joints spanned
    rows: np.ndarray  # (r,) joints that any of them spans
    row: np.ndarray  # (n,) place of a joint in `rows`, -1 where none
    f0: np.ndarray  # (M,) greatest isometric force
    l0: np.ndarray  # (M,) optimal fibre length
    slack: np.ndarray  # (M,) length of the rigid tendon: fibre length is path length less this
    curve: np.ndarray  # (M, 5) lmin, lmax, vmax, fpmax, fvmax of MuJoCo's muscle
    rise: np.ndarray  # (M,) s, activation time constant
    fall: np.ndarray  # (M,) s, deactivation time constant
    rest: np.ndarray  # (p - M,) m
    stiffness: np.ndarray  # (p - M, 3) N/m, N/m^2, N/m^3: of a spring's force in its stretch

    @property
    def count(self) -> int:
        """How many muscles."""
        return len(self.f0)


def muscle_actuators(mj: mujoco.MjModel) -> list[int]:
    """Indices of the actuators that are muscles."""
    kind = mujoco.mjtDyn.mjDYN_MUSCLE
    return [i for i in range(mj.nu) if mj.actuator_dyntype[i] == kind]


def none_of(muscles: Muscles) -> Muscles:
    """No muscles and no springs: motors move the joints."""
    empty = {name: getattr(muscles, name)[:0] for name in Muscles._fields}
    return Muscles(**empty | {"first": np.zeros(1, int), "row": np.full_like(muscles.row, -1)})


def muscles(mj: mujoco.MjModel, reach: np.ndarray | None = None) -> Muscles:
    """The muscles and series springs of a model of slides and hinges.

    reach (n, 2): positions between which path lengths are fitted, by default the joints' ranges. Raises
    ValueError where a path spans more than four joints.
    """
    reach = mj.jnt_range if reach is None else reach
    actuators = muscle_actuators(mj)
    springs = [t for t in range(mj.ntendon) if mj.tendon_stiffness[t] > 0]
    tendons = [int(mj.actuator_trnid[a, 0]) for a in actuators] + springs
    poses, length, arm = _sampled(mj, tendons, reach)
    spans = [tuple(np.flatnonzero(np.abs(arm[:, i]).max(0) > 1e-9)) for i in range(len(tendons))]
    if any(len(span) > SPAN for span in spans):
        raise ValueError(f"a path spans more than {SPAN} joints")
    rows = np.array(sorted({j for span in spans for j in span}), int)
    row = np.full(mj.nv, -1)
    row[rows] = np.arange(len(rows))
    prm = mj.actuator_gainprm[actuators]
    lengths = mj.actuator_lengthrange[actuators]
    l0 = (lengths[:, 1] - lengths[:, 0]) / (prm[:, 1] - prm[:, 0])
    poly = np.array(mj.tendon_stiffnesspoly).reshape(mj.ntendon, mujoco.mjNPOLY)[springs]
    return Muscles(
        **_polynomials(spans, poses, length, arm, reach),
        rows=rows,
        row=row,
        f0=prm[:, 2].copy(),
        l0=l0,
        slack=lengths[:, 0] - prm[:, 0] * l0,
        curve=prm[:, [4, 5, 6, 7, 8]].copy(),
        rise=mj.actuator_dynprm[actuators, 0].copy(),
        fall=mj.actuator_dynprm[actuators, 1].copy(),
        rest=mj.tendon_lengthspring[springs, 1].copy(),
        stiffness=np.column_stack([mj.tendon_stiffness[springs], poly[:, :2]]),
    )


def _polynomials(spans, poses, length, arm, reach) -> dict[str, np.ndarray]:
    """The fields of `Muscles` from `joints` to `coefficient`, of paths as `_sampled` found them.

    spans: the joints that each path spans.
    """
    groups = sorted(set(spans))
    most = max((len(_powers(len(span))) for span in groups), default=1)
    joints = np.zeros((len(groups), SPAN), int)
    powers = np.zeros((len(groups), most, SPAN), int)
    centre, half = np.zeros((len(groups), SPAN)), np.ones((len(groups), SPAN))
    path, coefficient, first = [], [], [0]
    for g, span in enumerate(groups):
        d, mine = len(span), [i for i, other in enumerate(spans) if other == span]
        joints[g, :d] = span
        low, high = reach[list(span)].T
        centre[g, :d], half[g, :d] = (low + high) / 2, (high - low) / 2
        exponents = _powers(d)
        powers[g, : len(exponents), :d] = exponents
        x = (poses[:, list(span)] - centre[g, :d]) / half[g, :d]
        wanted = np.stack([np.vstack([length[:, i], ARM_M * arm[:, i][:, list(span)].T]) for i in mine])
        known = [array.tobytes() for array in (x, half[g, :d], wanted.round(12))]  # blades move the last bits
        fitted = _fitted(d, len(mine), *known)
        path += mine
        coefficient += list(_parts(fitted.T, half[g, :d], most))
        first.append(len(path))
    return {
        "joints": joints,
        "span": np.array([len(span) for span in groups], int),
        "centre": centre,
        "half": half,
        "powers": powers,
        "terms": np.array([_terms(len(span)) for span in groups], int).reshape(-1, 3),
        "first": np.array(first),
        "path": np.array(path, int),
        "coefficient": np.array(coefficient).reshape(len(path), PARTS, most),
    }


@lru_cache
def _powers(d: int) -> np.ndarray:
    """(t, d) exponents of all monomials in d variables up to the degree of such a path, lowest first."""
    top = DEGREE[d]
    return np.array(sorted((e for e in product(range(top + 1), repeat=d) if sum(e) <= top), key=sum))


def _terms(d: int) -> list[int]:
    """How many of these monomials are left in no, one and two slopes."""
    return [int((_powers(d).sum(1) <= DEGREE[d] - order).sum()) for order in range(3)]


@lru_cache
def _slopes(d: int) -> np.ndarray:
    """(d, t, t): coefficients of a polynomial times it are those of its slope in each variable."""
    exponents = _powers(d)
    place = {tuple(e): k for k, e in enumerate(exponents.tolist())}
    slopes = np.zeros((d, len(exponents), len(exponents)))
    for k, e in enumerate(exponents.tolist()):
        for i in range(d):
            if e[i] > 0:
                slopes[i, k, place[(*e[:i], e[i] - 1, *e[i + 1 :])]] = e[i]
    return slopes


def _parts(lengths: np.ndarray, half: np.ndarray, most: int) -> np.ndarray:
    """(p, PARTS, most): of lengths (p, t) and their derivatives by joints, half (d,) the ranges' widths."""
    d, terms = len(half), lengths.shape[1]
    slopes = _slopes(d) / half[:, None, None]
    parts = np.zeros((len(lengths), PARTS, most))
    parts[:, 0, :terms] = lengths
    for i in range(d):
        parts[:, 1 + i, :terms] = by_i = lengths @ slopes[i]
        for j in range(i, d):
            parts[:, second(i, j), :terms] = by_i @ slopes[j]
    return parts


@register_jitable
def second(i, j):
    """Place among PARTS of the second derivative in spanned joints i and j."""
    if i > j:
        i, j = j, i
    return 1 + SPAN + i * SPAN - i * (i - 1) // 2 + j - i


def _design(x, half, exponents):
    """(1 + d, poses, t): each monomial, and ARM_M times its slope along each joint."""
    d = x.shape[1]
    powers = np.cumprod(np.dstack([np.ones_like(x)] + [x] * exponents.max()), axis=2)  # (poses, d, e)
    values = [powers[:, i, exponents[:, i]] for i in range(d)]
    rows = [np.prod(values, axis=0)]
    for i in range(d):
        slope = exponents[:, i] * powers[:, i, np.maximum(exponents[:, i] - 1, 0)]
        rows.append(ARM_M / half[i] * np.prod([*values[:i], slope, *values[i + 1 :]], axis=0))
    return np.array(rows)


@lru_cache(maxsize=64)  # of one runner's fittings all but the blades are alike
def _fitted(d, paths, x, half, wanted):
    """(t, paths) coefficients, least squares; the last three are the bytes of arrays."""
    x, half, wanted = np.frombuffer(x).reshape(-1, d), np.frombuffer(half), np.frombuffer(wanted)
    A, b = _design(x, half, _powers(d)).reshape((1 + d) * len(x), -1), wanted.reshape(paths, -1).T
    return np.linalg.solve(A.T @ A, A.T @ b)  # monomials on [-1, 1]: well enough conditioned


def _sampled(mj, tendons, reach):
    """Poses (s, n) spread over the joints' reach, path lengths (s, p) and their slopes (s, p, n) there.

    The left leg is posed as the right one is, and joints are counted by name, so that paths of like legs are
    fitted alike, and those of a mirrored runner too.
    """
    legs = np.flatnonzero(mj.jnt_limited)
    names = [without_side(mj.joint(int(j)).name) for j in legs]
    column = {name: i for i, name in enumerate(sorted(set(names)))}
    draw = qmc.Sobol(len(column), rng=0).random(POSES)[:, [column[name] for name in names]]
    low, high = reach[legs].T
    poses = np.zeros((POSES, mj.nv))
    poses[:, legs] = low + (high - low) * draw
    length, arm = np.zeros((POSES, len(tendons))), np.zeros((POSES, len(tendons), mj.nv))
    if not tendons:
        return poses, length, arm
    data, sparse = mujoco.MjData(mj), np.zeros((POSES, len(mj.ten_J_colind)))
    for s, pose in enumerate(poses):
        data.qpos[:] = pose
        mujoco.mj_kinematics(mj, data)
        mujoco.mj_comPos(mj, data)
        mujoco.mj_tendon(mj, data)
        length[s], sparse[s] = data.ten_length[tendons], data.ten_J
    for i, t in enumerate(tendons):
        at = slice(mj.ten_J_rowadr[t], mj.ten_J_rowadr[t] + mj.ten_J_rownnz[t])
        arm[:, i, mj.ten_J_colind[at]] = sparse[:, at]
    return poses, length, arm
