"""Fit the muscles of models/runner.xml to published moment arms, fibre lengths and strength; say how well.

Takes attachments.csv and curves.csv beside this file (rajagopal2016.py made them) and the reference running
of models/reference; prints errors of moment arms and strength, and the fibre lengths of running. With --write
it first fits anew, from the published attachments, and writes the result into models/runner.xml.

Free, each with a spread about its published value: path points and the knee's wrapping cylinder (PLACE_M),
optimal fibre lengths (OPTIMUM) and greatest forces (FORCE), fibre lengths at full activation (FIBRE), moments
of a relaxed hip and knee in running (PASSIVE_NM). The left side mirrors the right.
"""

import sys

import mujoco
import numpy as np
from _leg import CALF, JOINTS, XML, Leg, muscle_curve, passive_curve
from _published import SCALE, STRENGTH, Published, others, passive_moments, running
from scipy.optimize import least_squares

PLACE_M, ARM_M = 0.008, 0.002  # attachments in broad muscles and between people; moment arms; assumed
FORCE, OPTIMUM, FIBRE = 0.10, 0.05, 0.10  # shares of F0 and L0, and fibre lengths in L0; assumed
MOMENT = 0.03  # share of a published moment that weighs like one spread; numerical
KNEE_M = (
    0.010,
    0.0,
    -0.422,
    0.033,
)  # where the knee's wrapping cylinder starts, in the thigh; its radius
HEEL_M = (-0.0457, 0.0028, -0.0113)  # published end of the Achilles tendon in the foot, y inward
WITHIN = 0.12  # share of a published moment: what no test may miss by, inside the 0.15 that is asked for
INSIDE = (0.42, 1.56)  # L0: what fibres keep to in running, inside the 0.4 to 1.6 that is asked for
STANCE = (
    0.88  # L0: soleus in loaded stance, in vivo (Rubenson 2012, doi 10.1242/jeb.070466; read in abstract)
)
PASSIVE_NM = 5.0  # spread of a relaxed leg's moments between people; assumed
LOADED_N = 1000.0  # of the Achilles tendon: half of the stance


def fit(leg: Leg, published: Published) -> None:
    """Change the leg's model in place: first paths, muscle by muscle, then all fibres at once."""
    for name in leg.muscles:
        for site, point in zip(leg.sites(name), published.points(name), strict=False):
            leg.mj.site_pos[site] = point * [1, -1, 1]
    leg.mj.site_pos[leg.sites("achilles_tendon")[1]] = HEEL_M
    knee = leg.mj.geom("wrap_knee_r")
    knee.pos[:], knee.size[0] = KNEE_M[:3], KNEE_M[3]
    _fit_paths(leg, published, ("vasti", "recfem"), leg.sites("vasti") + leg.sites("recfem"), "wrap_knee_r")
    _fit_paths(leg, published, ("gastroc",), [leg.sites("gastroc")[0], leg.sites("achilles_tendon")[1]])
    standing = leg.at(np.zeros((1, 6)), "achilles_tendon").length[0]
    leg.mj.tendon_lengthspring[leg.achilles, 1] = standing  # just taut when the slider is at 0
    for name in leg.muscles:
        if name not in ("vasti", "recfem", *CALF):
            _fit_paths(leg, published, (name,), leg.sites(name))
    _fit_fibres(leg, published)


def _fit_paths(leg, published, muscles, sites, wrap=None):
    """Path points, and a cylinder's place (x, z) and radius, for the moment arms of these muscles."""
    start = leg.mj.site_pos[sites].copy()
    geom = leg.mj.geom(wrap).id if wrap else None
    origin = np.array([*leg.mj.geom_pos[geom][[0, 2]], leg.mj.geom_size[geom, 0]]) if wrap else np.zeros(0)
    wanted = np.array([published.arms(name) for name in muscles])
    known = np.isfinite(wanted)

    def put(x):
        leg.mj.site_pos[sites] = start + PLACE_M * x[: start.size].reshape(start.shape)
        if wrap:
            leg.mj.geom_pos[geom][[0, 2]] = origin[:2] + PLACE_M * x[-3:-1]
            leg.mj.geom_size[geom, 0] = origin[2] + PLACE_M * x[-1]

    def residual(x):
        put(x)
        error = np.array([leg.at(published.q, name).arms for name in muscles]) - wanted
        return np.concatenate([error[known] / ARM_M * np.sqrt(10 / len(published.q)), x])

    put(least_squares(residual, np.zeros(start.size + len(origin)), bounds=(-3, 3), diff_step=1e-3).x)


def _fit_fibres(leg, published):
    """Greatest force, optimal length and slack length of all muscles, for strength in published postures."""
    names = leg.muscles
    f0, l0 = np.array([published.optimum(name) for name in names]).T
    fibre = np.array([published.fibre(name) for name in names])
    calf = np.array([name in CALF for name in names])
    here = {name: leg.at(published.q, name) for name in names}
    length = np.array([here[name].length for name in names])
    gives = np.array([here[name].slider for name in names])  # path length per rise of the slider
    arms = np.array([here[name].arms for name in names])
    run, force_run = running()
    length_run = np.array([leg.at(run, name).length for name in names])
    gives_run = np.array([leg.at(run, name).slider for name in names])
    tendon, tendon_run = leg.at(published.q, "achilles_tendon"), leg.at(run, "achilles_tendon")
    rise_run = leg.rise(tendon_run, force_run)
    loaded = force_run > LOADED_N
    bent = [JOINTS.index(joint) for joint in ("hip_flexion", "knee_flexion")]
    relaxed = SCALE * passive_moments(run)
    arms_run = np.array([leg.at(run, name).arms[:, bent] for name in names]) * ~calf[:, None, None]
    tests = [
        (k, j, sense, [names.index(n) for n in group], nm) for k, j, sense, group, nm in published.tests()
    ]

    def parts(x):
        stronger, longer, at = x.reshape(3, -1)
        optimum = l0 * np.exp(OPTIMUM * longer)
        return f0 * np.exp(FORCE * stronger), optimum, length[:, 0] - optimum * at

    def forces(force, optimum, slack):
        """Force (muscles, postures), fibre length at full activation, the calf in balance with its tendon."""
        low, high = np.full(len(published.q), -0.08), np.full(len(published.q), 0.12)
        for _ in range(40):
            rise = (low + high) / 2
            fibres = (length + gives * np.where(calf[:, None], rise, 0) - slack[:, None]) / optimum[:, None]
            pull = force[:, None] * muscle_curve(leg.mj, fibres)
            up = -(pull * gives)[calf].sum(0) > leg.stretched(tendon, rise) * tendon.slider
            low, high = np.where(up, rise, low), np.where(up, high, rise)
        return pull, fibres

    def residual(x):
        force, optimum, slack = parts(x)
        pull, fibres = forces(force, optimum, slack)
        ratios = [sense * (pull[group, k] * arms[group, k, j]).sum() / nm for k, j, sense, group, nm in tests]
        strength = np.array(ratios) - 1
        astray = np.maximum(0, np.abs(strength) - WITHIN)
        inside = (length_run + gives_run * np.where(calf[:, None], rise_run, 0) - slack[:, None]) / optimum[
            :, None
        ]
        outside = np.maximum(0, INSIDE[0] - inside.min(1)) + np.maximum(0, inside.max(1) - INSIDE[1])
        passive = np.einsum("m,mk,mkj->kj", force, passive_curve(leg.mj, inside), arms_run)
        held = (passive - relaxed) / PASSIVE_NM * np.sqrt(20 / len(run))
        stance = [(inside[names.index("soleus"), loaded].mean() - STANCE) / 0.03]
        drift = (fibres - fibre) / FIBRE * np.sqrt(3 / fibre.shape[1])
        return np.concatenate(
            [
                strength / MOMENT,
                astray / 0.004,
                outside / 0.004,
                held.ravel(),
                stance,
                drift.ravel(),
                x[: 2 * len(names)],
            ]
        )

    start = np.concatenate([np.zeros(2 * len(names)), fibre[:, 0]])
    found = least_squares(residual, start, diff_step=1e-4, x_scale=np.repeat([1, 1, 0.1], len(names)))
    for name, *values in zip(names, *parts(found.x), strict=True):
        leg.set(name, *values)


# --- Say ---------------------------------------------------------------------------------------------------


def say_arms(leg, published):
    print("moment arms (mm) in neutral posture: published, here; root mean square error over postures")
    print(f"{'':10}" + "".join(f"{joint:>22}" for joint in JOINTS))
    neutral = int(np.flatnonzero(~published.q.any(1))[0])
    for name in leg.muscles:
        wanted, got = published.arms(name), leg.at(published.q, name).arms
        rms = np.sqrt(np.mean((got - wanted) ** 2, axis=0))
        cells = [
            "{:10.0f}{:6.0f}{:6.1f}".format(*1e3 * np.array(three)) if np.isfinite(three[2]) else " " * 22
            for three in zip(wanted[neutral], got[neutral], rms, strict=True)
        ]
        print(f"{name:10}" + "".join(cells))


def say_strength(leg, published):
    print("greatest isometric moment (Nm, in the size of the published body): here, published, error")
    for joint, sense, group, values in STRENGTH:
        cells = []
        for angle, wanted in values.items():
            moments = leg.moments(published.posture(joint, angle))
            got = sense * sum(moments[name][JOINTS.index(joint)] for name in group) / SCALE
            cells.append(f"{angle:4} deg {got:4.0f} {wanted:4.0f} {100 * (got / wanted - 1):+4.0f} %")
        print(f"{joint:20}{'+-'[sense < 0]}  " + "   ".join(cells))


def say_others(leg, published):
    print("and at the other joints, all muscles: here, published (Nm)")
    for joint, angle, got, wanted in others(leg, published):
        cells = "   ".join(f"{g:6.0f} {w:6.0f}" for g, w in zip(got, wanted, strict=True))
        print(f"{joint:20}{angle:5.0f} deg  {cells}")


def say_fibres(leg):
    print("fibres in running (L0): least, mean, greatest; F0 (N), L0 (mm), slack (mm)")
    run, force = running()
    rise = leg.rise(leg.at(run, "achilles_tendon"), force)
    for name in leg.muscles:
        path = leg.at(run, name)
        one = leg.mj.actuator(f"{name}_r")
        low, high = one.lengthrange
        fibre = (path.length + path.slider * rise - low) / (high - low)
        print(
            f"{name:10}{fibre.min():6.2f}{fibre.mean():6.2f}{fibre.max():6.2f}"
            f"{one.gainprm[2]:9.0f}{1e3 * (high - low):8.1f}{1e3 * low:8.1f}"
        )


def main() -> None:
    leg, published = Leg(mujoco.MjModel.from_xml_path(str(XML))), Published()
    if "--write" in sys.argv:
        fit(leg, published)
        leg.write()
        leg = Leg(mujoco.MjModel.from_xml_path(str(XML)))
    say_arms(leg, published)
    say_strength(leg, published)
    say_others(leg, published)
    say_fibres(leg)


if __name__ == "__main__":
    main()
