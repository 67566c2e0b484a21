"""What the published leg of Rajagopal 2016 does, as tables: attachments.csv and curves.csv beside this file.

Takes the path of the public model file (Rajagopal2016.osim of github.com/opensim-org/opensim-models;
Rajagopal et al. 2016, doi 10.1109/TBME.2016.2586891) and needs `pip install opensim scipy` (4.6 was used).
Gives, for each muscle of models/runner.xml, what its members there are together: weighted by greatest
isometric force times the cosine of pennation. Sizes are those of the published model, 1.70 m and 75.337 kg.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import opensim
from scipy.stats import qmc

MEMBERS = {  # a share of 0.5: a middle part that goes with both its neighbours
    "glmax1": {"glmax1": 1, "glmax2": 0.5},
    "glmax2": {"glmax2": 0.5, "glmax3": 1},
    "glmed1": {"glmed1": 1, "glmed2": 0.5},
    "glmed2": {"glmed2": 0.5, "glmed3": 1},
    "glmin": {"glmin1": 1, "glmin2": 1, "glmin3": 1},
    "tfl": {"tfl": 1},
    "iliopsoas": {"iliacus": 1, "psoas": 1, "sart": 1},
    "addmag": {"addmagDist": 1, "addmagIsch": 1, "addmagMid": 1, "addmagProx": 1},
    "addlong": {"addlong": 1, "addbrev": 1, "grac": 1},
    "extrot": {"piri": 1},
    "recfem": {"recfem": 1},
    "vasti": {"vasint": 1, "vaslat": 1, "vasmed": 1},
    "semimem": {"semimem": 1, "semiten": 1},
    "bflh": {"bflh": 1},
    "bfsh": {"bfsh": 1},
    "gastroc": {"gasmed": 1, "gaslat": 1},
    "soleus": {"soleus": 1},
    "tibant": {"tibant": 1, "edl": 1, "ehl": 1},
    "tibpost": {"tibpost": 1, "fdl": 1, "fhl": 1},
    "peroneus": {"perbrev": 1, "perlong": 1},
}
POINTS = {  # which of the members' path points are averaged; 0 and 1 unless said
    "glmax1": [0, 1, 2, 3],
    "glmax2": [0, 1, 2, 3],
    "tfl": [0, 1, 2, 3],
    "iliopsoas": [0, 1, 2, 3],
    "extrot": [1, 2],
    "recfem": [0, -1],
    "vasti": [1, -1],
    "gastroc": [0],
    "soleus": [0],
    "tibant": [0, 2, 3],
    "tibpost": [0, 1, 2, 3],
    "peroneus": [0, 1, 2, 3, 4],
}
COURSE = {  # whose path and fibres stand for the group, where other members only add force and moment arm
    "iliopsoas": ["iliacus", "psoas"],
    "addlong": ["addlong", "addbrev"],
    "tibant": ["tibant"],
    "tibpost": ["tibpost"],
}
JOINTS = {
    "hip_flexion": "hip_flexion_r",
    "hip_adduction": "hip_adduction_r",
    "hip_rotation": "hip_rotation_r",
    "knee_flexion": "knee_angle_r",
    "ankle_dorsiflexion": "ankle_angle_r",
    "subtalar_inversion": "subtalar_angle_r",
}
CROSSED = {  # by the body that a member starts and ends on
    ("pelvis", "femur_r"): range(3),
    ("pelvis", "tibia_r"): range(4),
    ("femur_r", "tibia_r"): range(3, 4),
    ("femur_r", "calcn_r"): range(3, 6),
    ("tibia_r", "calcn_r"): range(4, 6),
    ("tibia_r", "toes_r"): range(4, 6),
}


def postures() -> np.ndarray:
    """(postures, joints) deg: each joint alone, some also with another bent, and a spread of all."""
    rows = []
    for joint, angles, others in (
        (0, range(-30, 91, 10), ({3: 10}, {3: 60})),
        (1, range(-20, 21, 10), ({}, {0: 40})),
        (2, range(-20, 21, 10), ({}, {0: 40})),
        (3, (0, 5, *range(10, 111, 10)), ({}, {0: 50})),
        (4, range(-30, 31, 10), ({}, {3: 60})),
        (5, range(-15, 16, 5), ({},)),
    ):
        for other in others:
            for angle in angles:
                row = np.zeros(6)
                row[list(other)] = list(other.values())
                row[joint] = angle
                rows.append(row)
    low, high = np.array([[-25, -12, -15, 5, -25, -12], [75, 12, 15, 105, 25, 12]])
    spread = low + (high - low) * qmc.Sobol(6, rng=1).random(64)
    return np.unique(np.vstack([rows, spread.round()]), axis=0)


def main() -> None:
    model = opensim.Model(sys.argv[1])
    coordinates = [model.getCoordinateSet().get(name) for name in JOINTS.values()]
    for coordinate in coordinates:
        coordinate.setDefaultLocked(False)
    state = model.initSystem()
    muscle = {name: model.getMuscles().get(f"{name}_r") for group in MEMBERS.values() for name in group}
    weight = {
        name: one.getMaxIsometricForce() * np.cos(one.getPennationAngleAtOptimalFiberLength())
        for name, one in muscle.items()
    }
    here = Path(__file__).parent
    _write(here / "attachments.csv", _attachments(state, muscle, weight))
    _write(here / "curves.csv", _curves(model, state, muscle, weight, coordinates))


def _attachments(state, muscle, weight):
    """Rows of muscle, F0 (N), L0 (m), body, x forward, y outward, z up (m) in the published body frames."""
    for group, members in MEMBERS.items():
        share = {name: part * weight[name] for name, part in members.items()}
        course = COURSE.get(group, list(members))
        force, length = (
            sum(share.values()),
            _mean({n: muscle[n].getOptimalFiberLength() for n in course}, share),
        )
        for k in POINTS.get(group, [0, 1]):
            place, body = {}, ""
            for name in course:
                points = muscle[name].getGeometryPath().getPathPointSet()
                point = points.get(k % points.getSize())
                body, at = point.getBody().getName(), point.getLocation(state)
                place[name] = np.array([at.get(0), at.get(2), at.get(1)])
            x, y, z = _mean(place, share)
            yield {
                "muscle": group,
                "f0_n": round(force, 1),
                "l0_m": round(length, 5),
                "body": body.removesuffix("_r"),
                "x_m": round(x, 5),
                "y_m": round(y, 5),
                "z_m": round(z, 5),
            }


def _curves(model, state, muscle, weight, coordinates):
    """Rows of a posture (deg) and, at full activation, each muscle's force (N), fibre (L0), arms (m)."""
    for posture in postures():
        for coordinate, angle in zip(coordinates, np.radians(posture), strict=True):
            coordinate.setValue(state, angle, False)
        model.assemble(state)
        model.realizePosition(state)
        for one in muscle.values():
            one.setActivation(state, 1.0)
        model.realizeVelocity(state)
        model.equilibrateMuscles(state)
        model.realizeDynamics(state)
        row = dict(zip(JOINTS, posture, strict=True))
        for group, members in MEMBERS.items():
            share = {name: part * weight[name] for name, part in members.items()}
            force = sum(part * muscle[name].getTendonForce(state) for name, part in members.items())
            row[f"{group}:force"] = round(force, 1)
            course = COURSE.get(group, list(members))
            fibres = {name: muscle[name].getNormalizedFiberLength(state) for name in course}
            row[f"{group}:fibre"] = round(_mean(fibres, share), 4)
            for i in _crossed(muscle[course[0]]):
                arms = {n: muscle[n].computeMomentArm(state, coordinates[i]) for n in share}
                row[f"{group}:{list(JOINTS)[i]}"] = round(_mean(arms, share), 5)
        yield row


def _crossed(one):
    points = one.getGeometryPath().getPathPointSet()
    return CROSSED[points.get(0).getBody().getName(), points.get(points.getSize() - 1).getBody().getName()]


def _mean(values, share):
    """Of values by member, weighted by their shares of force."""
    return sum(share[name] * value for name, value in values.items()) / sum(share[name] for name in values)


def _write(path, rows):
    rows = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    main()
