"""Markers of the made-up stride's own model, by the names that laboratories give them."""

from functools import cache

import numpy as np

from bladerun.body.runner import Runner
from bladerun.case import Case
from bladerun.dataset.asked import person_of
from bladerun.model import build_model
from bladerun.motion.marked import Marked
from bladerun.motion.marker_sets import marker_set
from bladerun.task import Task
from strides import running

SETS = {  # names as files have them, of one side where they begin with R
    "Plug-in Gait": "RASI RPSI RTHI RKNE RKNM RTIB RANK RMED RHEE RTOE RSHO RELB CLAV C7 T10",
    "CAST, ISB": "R_IAS R_IPS R_FTC R_FLE R_FME R_FAX R_TTC R_FAL R_TAM R_FCC R_FM1 R_FM5 R_SAE CV7 SJN",
    "OpenSim, gait2392": "R.ASIS V.Sacral R.Thigh.Front R.Knee.Lat R.Knee.Med R.Shank.Front R.Ankle.Lat "
    "R.Ankle.Med R.Heel R.Midfoot.Sup R.Toe.Lat R.Toe.Med R.Acromium Sternum",
    "OpenSim, Rajagopal": "RASI RPSI RTH1 RTH2 RLFC RMFC RTB1 RLMAL RMMAL RCAL RTOE RMT5 RACR CLAV C7",
    "OpenCap": "r.ASIS_study r.PSIS_study r_thigh1_study r_knee_study r_mknee_study r_sh1_study "
    "r_ankle_study r_mankle_study r_calc_study r_toe_study r_5meta_study r_shoulder_study C7_study",
    "video keypoints": "RHip RKnee RAnkle RBigToe RSmallToe RHeel RShoulder RElbow RWrist Neck CHip",
}
ANYWHERE = np.array([0.04, -0.07, -0.18])  # of a marker whose place a set does not know


def both(names):
    """The names of the right and the left side."""
    return [n for name in names.split() for n in ((name, left(name)) if name[0] in "Rr" else (name,))]


def left(name):
    return "L" + name[1:]


@cache
def made(side="none"):
    return running.stride(side=side)


@cache
def built(side="none", height_m=None):
    runner, amputation, fitting = person_of(made(side))
    return build_model(
        runner if height_m is None else Runner(runner.mass_kg, height_m, runner.sex), amputation, fitting
    )


@cache
def positions(side="none", strides=3):
    """Time and posture of so many strides of the made-up stride."""
    stride, later = made(side), np.repeat(np.arange(strides), 150)
    q = np.tile(stride.q.values, (strides, 1))
    q[:, 0] += later * stride.attrs["stride_time_s"] * running.SPEED
    return np.tile(stride.time.values, strides) + later * stride.attrs["stride_time_s"], q


def shown(model, names, q, mapping=None):
    """(N, 3) by name: where the model has these markers in the postures q."""
    found = []
    for each in marker_set(model, names, mapping)[0]:
        side = np.array([1.0, -1.0 if each.name[0] == "L" else 1.0, 1.0])
        found.append(each if np.isfinite(each.at_m).all() else each._replace(at_m=ANYWHERE * side))
    body = Marked(model, found)
    places = np.array([body.places(each) for each in q])
    return {each.name: places[:, k] for k, each in enumerate(found)}


def trajectories(title="Plug-in Gait", side="none", model=None):
    time, q = positions(side)
    return time, shown(model or built(side), both(SETS[title]), q)


def case(side="none"):
    return Case(*person_of(made(side)), Task(running.SPEED))
