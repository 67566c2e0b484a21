"""Where muscles end that an amputation above the knee has cut: on their line of pull, at the bone's end."""

from functools import cache

import mujoco
import numpy as np
import pytest

from bladerun.body.runner import Amputation, Runner
from bladerun.fitting import Fitting
from bladerun.model import build_model

RUNNER = Runner(72.0, 1.78)
SEWN = ("recfem", "semimem", "bflh", "tfl", "addmag", "addlong")


@cache
def cut(side, limb_m):
    fitting = Fitting("j-sprint", knee="hydraulic-running")
    return build_model(RUNNER, Amputation(side, "transfemoral", limb_m), fitting).mj


@cache
def whole():
    return build_model(RUNNER).mj


def corners(mj, muscle):
    """(n, 3) of its path from the hip, standing."""
    data = mujoco.MjData(mj)
    mujoco.mj_forward(mj, data)
    names = [mj.site(i).name for i in range(mj.nsite)]
    own = sorted((n for n in names if n.rpartition("_")[0] == muscle), key=lambda n: int(n.split("_")[-1]))
    return np.array([data.site(name).xpos for name in own]) - data.site(f"hip_{muscle[-1]}").xpos


def on_the_way(path, level):
    """Its corners above a level, and where it crosses that."""
    below = np.flatnonzero(path[:, 2] < level)
    if not len(below):
        return path
    last = below[0]
    share = (path[last - 1, 2] - level) / (path[last - 1, 2] - path[last, 2])
    return np.vstack([path[:last], path[last - 1] + share * (path[last] - path[last - 1])])


def length(path):
    return np.linalg.norm(np.diff(path, axis=0), axis=1).sum()


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("limb_m", [0.20, 0.30])
@pytest.mark.parametrize("name", SEWN)
def test_a_cut_muscle_ends_at_the_bones_end_on_its_own_line(side, limb_m, name):
    muscle, own = f"{name}_{side[0]}", cut(side, limb_m)
    path = corners(whole(), muscle)
    if name == "recfem":  # it pulls over the front of the knee, where a cylinder bends it
        data = mujoco.MjData(whole())
        mujoco.mj_forward(whole(), data)
        wrap = whole().geom(f"wrap_knee_{side[0]}")
        path[-1] = data.geom_xpos[wrap.id] + [wrap.size[0], 0, 0] - data.site(f"hip_{side[0]}").xpos
    expected = on_the_way(path, -limb_m)
    found = corners(own, muscle)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert (len(found) < len(path) or found[-1, 2] > path[-1, 2] + 1e-6) == (path[-1, 2] < -limb_m - 1e-6)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("name", SEWN)
def test_its_tendon_is_shorter_by_what_the_path_lost_and_never_negative(side, name):
    muscle = f"{name}_{side[0]}"
    ranges, lengths = [], []
    for mj in (whole(), cut(side, 0.20)):
        data = mujoco.MjData(mj)
        mujoco.mj_forward(mj, data)
        ranges.append(mj.actuator_lengthrange[mj.actuator(muscle).id])
        lengths.append(float(data.ten_length[mj.tendon(muscle).id]))
    lost = lengths[0] - lengths[1]
    slack = max(0.0, ranges[0][0] - lost)
    np.testing.assert_allclose(ranges[1], [slack, slack + np.ptp(ranges[0])], atol=2e-5)
    assert lengths[1] == pytest.approx(length(corners(cut(side, 0.20), muscle)), abs=1e-5)


@pytest.mark.parametrize("side", ["right", "left"])
def test_what_is_cut_off_is_gone_and_the_other_leg_whole(side):
    own, s, other = cut(side, 0.20), side[0], "l" if side == "right" else "r"
    geoms = {own.geom(i).name for i in range(own.ngeom)}
    bodies = {own.body(i).name for i in range(own.nbody)}
    for part in ("thigh", "knee", "wrap_knee"):
        assert f"{part}_{s}" not in geoms and f"{part}_{other}" in geoms
    for part in ("foot", "toes"):
        assert f"{part}_{s}" not in bodies and f"{part}_{other}" in bodies
    tendons = {own.tendon(i).name for i in range(own.ntendon)}
    assert f"achilles_tendon_{s}" not in tendons and f"achilles_tendon_{other}" in tendons
    sites = [own.site(i).name for i in range(own.nsite)]
    for muscle in ("vasti", "bfsh", "gastroc", "soleus", "tibant", "tibpost", "peroneus"):
        assert not any(name.startswith(f"{muscle}_{s}") for name in (*sites, *tendons))
        assert any(name.startswith(f"{muscle}_{other}") for name in tendons)
