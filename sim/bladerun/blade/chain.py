"""A curved laminate as a chain of rigid segments for MuJoCo.

Takes a `Beam` (centreline and section along its arc); gives hinges, springs, segment inertias and the
bodies, contact spheres and sites of the chain under a parent body.
"""

from dataclasses import dataclass
from functools import cached_property

import mujoco
import numpy as np

from bladerun.body.joints import SIDES, code, side_of

METAL = (0.62, 0.65, 0.69, 1)
_CARBON, _RUBBER = (0.07, 0.075, 0.085, 1), (0.80, 0.16, 0.10, 1)
_VISUAL_STEP_M = 0.012
_FINE = 4001  # points of the quadrature along the arc
_PAIRS = 6  # of contact spheres along the sole


@dataclass(frozen=True)
class Beam:
    """A planar curved beam in the blade's frame: origin at the clamp, x forward, z up; m, N, kg.

    Arrays run along the arc (m,): ``s_m`` is zero where the laminate leaves the clamp and negative above it,
    ``heading`` the angle of the tangent over the x axis in rad, ``thickness_m`` of the laminate.
    """

    s_m: np.ndarray
    x_m: np.ndarray
    z_m: np.ndarray
    heading: np.ndarray
    thickness_m: np.ndarray
    width_m: float
    youngs_modulus_pa: float
    shear_modulus_pa: float
    mass_kg: float
    sole_s_m: float  # where the sole begins; it ends at the tip
    sole_radius_m: float  # from the centreline to the ground

    @cached_property
    def bending_nm2(self) -> np.ndarray:
        """EI(s) = E b t^3 / 12, sagittal."""
        return self.youngs_modulus_pa * self.width_m * self.thickness_m**3 / 12

    @cached_property
    def free(self) -> np.ndarray:
        """Which points bend: from the clamp to the lowest point; beyond it the unloaded tip stays rigid."""
        return (self.s_m >= 0) & (self.s_m <= self.s_m[np.argmin(self.z_m)])


@dataclass(frozen=True)
class Chain:
    """n rigid segments behind a clamped one; hinge i carries what lies between it and hinge i+1.

    hinge_s_m, stiffness_nm_rad (n,); hinge_m (n, 2) as (x, z); centre_m (2,), axes (2, 2) as (x, z) and
    out_of_plane_nm_rad (2,): torsion, lateral bending, borne by the segment ``out_of_plane_at``.
    """

    beam: Beam
    hinge_s_m: np.ndarray
    hinge_m: np.ndarray
    stiffness_nm_rad: np.ndarray
    centre_m: np.ndarray
    axes: np.ndarray
    out_of_plane_nm_rad: np.ndarray
    out_of_plane_at: int

    def owner(self, s_m: np.ndarray) -> np.ndarray:
        """Number of the segment that carries the point at arc ``s_m``: 0 clamped, i behind hinge i."""
        return np.searchsorted(self.hinge_s_m, s_m, side="right")

    @cached_property
    def strain_per_bend(self) -> np.ndarray:
        """Fibre strain M t / (2 EI) along the free arc for unit bends, (points, n).

        The moment of one end force is affine in place, so it is fitted over the hinges as a + b x + c z.
        """
        beam, free = self.beam, self.beam.free
        affine = np.linalg.pinv(np.column_stack([np.ones(len(self.hinge_m)), self.hinge_m]))
        place = np.column_stack([np.ones(free.sum()), beam.x_m[free], beam.z_m[free]])
        per_moment = (beam.thickness_m / (2 * beam.bending_nm2))[free]
        return per_moment[:, None] * (place @ affine) * self.stiffness_nm_rad

    def origin_m(self, segment: int) -> np.ndarray:
        """Where the segment's body frame lies in the unloaded blade's frame, (x, z)."""
        return self.hinge_m[segment - 1] if segment else np.zeros(2)


def make_chain(beam: Beam, segments: int) -> Chain:
    """The chain whose flexibility under any sagittal load at its end is that of the beam.

    Bending: the arc is cut into n pieces with equal shares of integral (arm^2/EI)^(1/3) ds, arm the distance
    ahead of the sole's lowest point, which spreads the error of one-point quadrature evenly. A hinge lies at
    the elastic centre of each piece with its compliance c = integral ds/EI; then the one symmetric linear map
    about the common centre, close to one, that makes sum c r r' over the hinges integral r r' ds/EI moves
    them. So all of c {1, x, z, x^2, xz, z^2} are the beam's; only large rotations feel the number of hinges.
    Out of plane: A = integral (t t'/GJ + n n'/EI_z) ds over the centreline (t tangent, n in-plane normal) has
    two principal axes; the hinges turn about them through the elastic centre that leaves least side-sway.
    Rotations under any lateral load are then the beam's; the sway that is left out, 16-18 % of the toe's own,
    makes it that much stiffer sideways.
    """
    free = beam.free
    s = np.linspace(0, beam.s_m[free][-1], _FINE)
    place = np.column_stack([np.interp(s, beam.s_m, a) for a in (beam.x_m, beam.z_m)])
    give = 1 / np.interp(s, beam.s_m, beam.bending_nm2)
    share = _integral(np.cbrt(give * (place[-1, 0] - place[:, 0]) ** 2), s)
    cut = np.interp(np.linspace(0, share[-1], segments + 1), share, s)
    compliance = _integral(give, s)
    edge = np.interp(cut, s, compliance)
    piece = np.diff(edge)
    hinge = (
        np.column_stack([np.diff(np.interp(cut, s, _integral(give * a, s))) for a in place.T])
        / piece[:, None]
    )
    centre = piece @ hinge / piece.sum()
    offset, arm = place - centre, hinge - centre
    wanted = np.trapezoid(give[:, None, None] * offset[:, :, None] * offset[:, None, :], s, axis=0)
    hinge = centre + arm @ _symmetric_map((arm * piece[:, None]).T @ arm, wanted)
    middle = np.interp((edge[1:] + edge[:-1]) / 2, compliance, s)
    at, axes, stiffness = _out_of_plane(beam)
    bearer = 1 + int(np.argmin(np.hypot(*(hinge - at).T)))
    return Chain(beam, middle, hinge, 1 / piece, at, axes, stiffness, bearer)


def add_chain(
    parent: mujoco.MjsBody, chain: Chain, *, suffix: str, relaxation_s: float, contact: list[float], pos, quat
):
    """Adds the chain under ``parent``; see `Blade.attach`. Returns the clamped body.

    Joint damping is relaxation time x stiffness (Kelvin-Voigt); ``contact`` is the spheres' user data.
    """
    side = 1.0 if suffix == "r" else -1.0
    beam, mass = chain.beam, _slice_mass(chain.beam)
    owner = chain.owner(beam.s_m)
    body = clamped = parent.add_body(name=f"blade_{suffix}", pos=pos, quat=quat)
    for i in range(len(chain.hinge_s_m) + 1):
        origin = chain.origin_m(i)
        if i:
            step = origin - chain.origin_m(i - 1)
            body = body.add_body(name=f"blade_{i}_{suffix}", pos=[step[0], 0, step[1]])
            _hinge(
                body,
                bend_joints(chain, suffix)[i - 1],
                [0, -1, 0],
                [0, 0, 0],
                chain.stiffness_nm_rad[i - 1],
                relaxation_s,
            )
        if i == chain.out_of_plane_at:
            x, z = chain.centre_m - origin
            for name, axis, k in zip(
                ("torsion", "lateral"), chain.axes, chain.out_of_plane_nm_rad, strict=True
            ):
                _hinge(
                    body,
                    f"blade_{name}_{suffix}",
                    [side * axis[0], 0, side * axis[1]],
                    [x, 0, z],
                    k,
                    relaxation_s,
                )
        _inertia(body, beam, mass * (owner == i), origin)
        _visuals(body, beam, chain, i, origin, suffix)
    _contacts(clamped, chain, suffix, contact)
    clamped.add_site(name=f"blade_clamp_{suffix}", size=[0.006] * 3, rgba=METAL)
    tip = np.array([beam.x_m[-1], beam.z_m[-1]]) - chain.origin_m(owner[-1])
    body.add_site(name=f"blade_tip_{suffix}", pos=[tip[0], 0, tip[1]], size=[0.006] * 3, rgba=_RUBBER)
    return clamped


def bend_joints(chain: Chain, suffix: str) -> list[str]:
    """Names of the hinges that bend the blade, from the clamp on, as `Blade.strain` takes their angles."""
    return [f"blade_bend{i}_{suffix}" for i in range(1, len(chain.hinge_s_m) + 1)]


def sole_spheres(suffix: str) -> list[str]:
    """Names of the contact spheres of the blade on this side."""
    return [f"contact_{suffix}_{i}" for i in range(2 * _PAIRS)]


def sole_points(chain: Chain, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points along the sole's centreline: segment of each (count,) and place in its body (count, 3), m."""
    beam = chain.beam
    s = np.linspace(beam.sole_s_m, beam.s_m[-1], count)
    owner = chain.owner(s)
    origin = np.array([chain.origin_m(i) for i in owner])
    x, z = np.interp(s, beam.s_m, beam.x_m), np.interp(s, beam.s_m, beam.z_m)
    return owner, np.column_stack([x - origin[:, 0], np.zeros(count), z - origin[:, 1]])


def _integral(density: np.ndarray, s: np.ndarray) -> np.ndarray:
    """Cumulative trapezoid, (m,), zero at the start."""
    return np.r_[0, np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(s))]


def _symmetric_map(have: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Symmetric positive T with T have T = wanted, their geometric mean (2, 2)."""
    root = _root(have)
    inverse = np.linalg.inv(root)
    return inverse @ _root(root @ wanted @ root) @ inverse


def _root(a: np.ndarray) -> np.ndarray:
    """Square root of a symmetric positive matrix."""
    value, vector = np.linalg.eigh(a)
    return vector * np.sqrt(value) @ vector.T


def _out_of_plane(beam: Beam) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Elastic centre (x, z), unit axes (torsion, lateral) as (x, z) and their stiffnesses in Nm/rad.

    GJ = G b t^3 (1 - 0.63 t/b) / 3, thin rectangle (Timoshenko & Goodier, Theory of Elasticity, art. 109).
    """
    f = beam.free
    s, x, z, t, b = beam.s_m[f], beam.x_m[f], beam.z_m[f], beam.thickness_m[f], beam.width_m
    gj = beam.shear_modulus_pa * b * t**3 / 3 * (1 - 0.63 * t / b)
    ei = beam.youngs_modulus_pa * t * b**3 / 12
    tangent = np.column_stack([np.cos(beam.heading[f]), np.sin(beam.heading[f])])
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    a, w = np.zeros((2, 2)), np.zeros(2)
    for axis, stiffness in ((tangent, gj), (normal, ei)):
        offset = axis[:, 1] * x - axis[:, 0] * z  # (axis x position), its lateral part
        a += np.trapezoid(axis[:, :, None] * axis[:, None, :] / stiffness[:, None, None], s, axis=0)
        w += np.trapezoid(axis * (offset / stiffness)[:, None], s, axis=0)
    shift = np.linalg.solve(a, w)
    value, vector = np.linalg.eigh(a)
    torsion = int(np.argmax(np.abs(vector[1])))  # the principal axis nearer to the vertical
    axes = np.array([vector[:, torsion], vector[:, 1 - torsion]])
    axes *= np.sign([[axes[0, 1]], [axes[1, 0]]])
    return np.array([shift[1], -shift[0]]), axes, 1 / value[[torsion, 1 - torsion]]


def _slice_mass(beam: Beam) -> np.ndarray:
    """Mass of each point of the arc, kg (m,): the blade's mass spread as the thickness."""
    weight = np.gradient(beam.s_m) * beam.thickness_m
    return beam.mass_kg * weight / weight.sum()


def _hinge(body, name: str, axis, pos, stiffness: float, relaxation_s: float):
    body.add_joint(
        name=name,
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=axis,
        pos=pos,
        stiffness=stiffness,
        damping=relaxation_s * stiffness,
        userdata=code("passive", "blade"),
    )


def _inertia(body, beam: Beam, mass: np.ndarray, origin: np.ndarray):
    """Mass, centre and inertia of the slices of ``mass`` (m,), strips of the blade's width."""
    total = mass.sum()
    x, z = beam.x_m - origin[0], beam.z_m - origin[1]
    cx, cz = mass @ x / total, mass @ z / total
    across, along = np.sin(beam.heading), np.cos(beam.heading)
    thin = mass * beam.thickness_m**2 / 12
    xx, zz = mass @ (x - cx) ** 2 + thin @ across**2, mass @ (z - cz) ** 2 + thin @ along**2
    xz = mass @ ((x - cx) * (z - cz)) - thin @ (across * along)
    strip = total * beam.width_m**2 / 12
    body.explicitinertial = True
    body.mass, body.ipos = total, [cx, 0, cz]
    body.fullinertia = [zz + strip, xx + zz, xx + strip, 0, -xz, 0]


def _visuals(body, beam: Beam, chain: Chain, segment: int, origin: np.ndarray, suffix: str):
    """Flat boxes of the laminate, and the rubber strip under the sole."""
    cut = np.linspace(beam.s_m[0], beam.s_m[-1], round((beam.s_m[-1] - beam.s_m[0]) / _VISUAL_STEP_M) + 1)
    middle = (cut[1:] + cut[:-1]) / 2
    half = (cut[1] - cut[0]) / 2
    for k in np.flatnonzero(chain.owner(middle) == segment):
        x, z, angle, t = (
            np.interp(middle[k], beam.s_m, a) for a in (beam.x_m, beam.z_m, beam.heading, beam.thickness_m)
        )
        layers = [(0.0, t / 2, _CARBON, f"blade_laminate{k}_{suffix}")]
        if middle[k] >= beam.sole_s_m:
            pad = (beam.sole_radius_m - t / 2) / 2
            layers.append((-(t / 2 + pad), pad, _RUBBER, f"blade_sole{k}_{suffix}"))
        for lift, thick, rgba, name in layers:
            body.add_geom(
                name=name,
                type=mujoco.mjtGeom.mjGEOM_BOX,
                size=[half * 1.12, beam.width_m / 2, thick],
                pos=[x - origin[0] - lift * np.sin(angle), 0, z - origin[1] + lift * np.cos(angle)],
                quat=[np.cos(angle / 2), 0, -np.sin(angle / 2), 0],
                rgba=rgba,
                contype=0,
                conaffinity=0,
                mass=0,
                group=1,
            )


def _contacts(clamped, chain: Chain, suffix: str, contact: list[float]):
    """2 x 6 spheres along the sole's edges, numbered from its rear, the pair's lateral one first."""
    bodies = [clamped]
    while len(bodies) <= len(chain.hinge_s_m):
        bodies.append(bodies[-1].bodies[0])
    side = 1.0 if suffix == "r" else -1.0
    owner, place = sole_points(chain, _PAIRS)
    radius = chain.beam.sole_radius_m
    reach = chain.beam.width_m / 2 - radius
    for i, (segment, (x, _, z)) in enumerate(zip(owner, place, strict=True)):
        for j, y in enumerate((-side * reach, side * reach)):
            bodies[segment].add_geom(
                name=sole_spheres(suffix)[2 * i + j],
                type=mujoco.mjtGeom.mjGEOM_SPHERE,
                size=[radius, 0, 0],
                pos=[x, y, z],
                contype=0,
                conaffinity=0,
                mass=0,
                group=3,
                rgba=_RUBBER,
                userdata=[*contact, float(SIDES.index(side_of(f"_{suffix}")))],
            )
