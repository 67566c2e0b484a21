"""Does a runner's own running at one speed say more of another speed than people's does?

Takes a folder with the joint angles of 26 runners at 2.5, 3.5 and 4.5 m/s: the `RBDS*_T??_ik_complex.mot` of
github.com/aaronsfox/pfjrf-methods, inverse kinematics in OpenSim of the public recordings of Fukuchi 2017
(doi 10.7717/peerj.3298; none of them is kept here). Leaves one speed out at a time and writes `carried.csv`:
root mean square distance of 13 joint angles (pelvis, hip, knee, ankle, both legs), in deg, to what was
measured at that speed, of

- `own_deg`: the runner's curves of another speed, carried over as a prediction's reference is;
- `people_deg`: people's curves at that speed (models/reference);
- `others_deg`: the mean of the 25 other runners at that speed, measured and modelled alike;
- `predicted_own_deg`, `predicted_people_deg`: the strides that are solved with the first two as reference,
  1 m/s away, by a man of mean size, of the first runners (--solved).

    python experiments/personal/carried.py FOLDER
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from bladerun._lib.data_files import toml
from bladerun._lib.files import atomic
from bladerun.body.joints import side_of, without_side
from bladerun.body.own_gait import PERCENT, OwnGait
from bladerun.body.reference_gait import band, reference
from bladerun.body.runner import ABLE_BODIED, Runner
from bladerun.case import Case
from bladerun.gait.events import Leg, joint_curve
from bladerun.model import build_model
from bladerun.motion import measure
from bladerun.status import Status
from bladerun.stride import solve
from bladerun.task import Task

RUNNER = Runner(67.9, 1.76, "male")  # of mean size (experiments/validation/cohorts/fukuchi2017.toml)
SPEEDS = (2.5, 3.5, 4.5)
CARRIED = ((2.5, 3.5), (3.5, 2.5), (3.5, 4.5), (4.5, 3.5), (2.5, 4.5), (4.5, 2.5))
SOLVED = ((2.5, 3.5), (3.5, 4.5))
TABLE = Path(__file__).with_name("carried.csv")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--solved", type=int, default=8, help="runners for whom strides are solved")
    args = parser.parse_args()
    gaits = read(args.folder)
    everybody = sorted({who for who, _ in gaits})
    rows = {}
    for start, to in CARRIED:
        for who in everybody:
            own, there = gaits[who, start], gaits[who, to]
            row = {"runner": who, "from_m_s": start, "to_m_s": to, **carried(own, there, to)}
            rows[who, start, to] = row | {"others_deg": rms(mean_of_others(gaits, who, to), there)}
    write(rows)
    model = build_model(RUNNER)
    for start, to in SOLVED:
        usual = solve(model, Task(to))
        for who in everybody[: args.solved]:
            stride = solve(model, Task(to), reference=gaits[who, start])
            rows[who, start, to] |= predicted(stride, usual, gaits[who, to])
            print(rows[who, start, to], flush=True)
            write(rows)
    print(summary(pd.DataFrame(rows.values())).to_string())


def write(rows: dict[tuple[str, float, float], dict[str, object]]) -> None:
    with atomic(TABLE) as tmp:
        pd.DataFrame(rows.values()).round(4).to_csv(tmp, index=False)


def predicted(stride: xr.Dataset, usual: xr.Dataset, there: OwnGait) -> dict[str, object]:
    """Distances of a stride from the runner's reference, and of one from people's, to what was measured."""
    row: dict[str, object] = {"status": stride.attrs["status"]}
    for key, each in (("own", stride), ("people", usual)):
        row[f"predicted_{key}_deg"] = rms(curves(each), there)
        row[f"predicted_{key}_time_s"] = each.attrs["stride_time_s"] - there.stride_time_s.mean
    return row


def read(folder: Path) -> dict[tuple[str, float], OwnGait]:
    """How each runner ran at each speed."""
    found = {}
    for speed in SPEEDS:
        for path in sorted(folder.rglob(f"RBDS*_T{10 * speed:.0f}_ik_complex.mot")):
            case = Case(RUNNER, ABLE_BODIED, None, Task(speed))
            measured = measure(path, None, case, ground="treadmill", speed_m_s=speed)
            if measured.reference:
                found[path.name.partition("_")[0], speed] = measured.reference
    return found


def carried(own: OwnGait, there: OwnGait, speed_m_s: float) -> dict[str, float]:
    """Distances of the runner's curves as they are carried, and of people's, from what was measured at this
    speed; also farther than a prediction may carry them."""
    mine, usual = {}, {}
    for name in there.joints:
        before, usual[name] = (band(without_side(name), each)[1][:-1] for each in (own.speed_m_s, speed_m_s))
        mine[name] = np.array(own.joints[name].mean[:-1]) - before + usual[name]
    time, before_s = (people_time_s(each) for each in (speed_m_s, own.speed_m_s))
    measured_s = there.stride_time_s.mean
    return {
        "own_deg": rms(mine, there),
        "people_deg": rms(usual, there),
        "own_time_s": own.stride_time_s.mean - before_s + time - measured_s,
        "people_time_s": time - measured_s,
    }


def people_time_s(speed_m_s: float) -> float:
    """Of a stride, at the size of the measured runners."""
    size = toml("reference/gait.toml")["leg_length"]["value_m"]
    return reference(("knee_flexion_r",), speed_m_s, 4, leg_length_m=size).stride_time_s


def curves(stride: xr.Dataset) -> dict[str, np.ndarray]:
    """Joint angles (50,) in deg from each leg's touchdown."""
    found = {}
    for name in map(str, stride.joint.values):
        leg = Leg(stride, side_of(name) or "right")
        at = leg.down + PERCENT[:-1] / 100 * leg.period
        found[name] = np.degrees(joint_curve(stride, "q", name)(at))
    return found


def mean_of_others(gaits: dict[tuple[str, float], OwnGait], who: str, speed: float) -> dict[str, np.ndarray]:
    others = [gait for (other, at), gait in gaits.items() if at == speed and other != who]
    return {
        name: np.mean([gait.joints[name].mean[:-1] for gait in others], axis=0) for name in others[0].joints
    }


def rms(given: dict[str, np.ndarray], there: OwnGait) -> float:
    """Root mean square distance of all joint angles over the stride, deg."""
    names = [name for name in there.joints if name != "pelvis_tz"]
    squares = [np.mean((given[name] - np.array(there.joints[name].mean[:-1])) ** 2) for name in names]
    return math.sqrt(np.mean(squares))


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Means over runners, and how many of them each is nearer for than people's."""
    solved = table.get("status") == Status.CONVERGED
    by = table.groupby(["from_m_s", "to_m_s"])
    found = by[[c for c in table if c.endswith("_deg")]].mean()
    found["own nearer than people"] = by.apply(lambda t: (t.own_deg < t.people_deg).mean())
    found["own nearer than others"] = by.apply(lambda t: (t.own_deg < t.others_deg).mean())
    near = table[solved].groupby(["from_m_s", "to_m_s"])
    found["predicted own nearer"] = near.apply(
        lambda t: (t.predicted_own_deg < t.predicted_people_deg).mean()
    )
    return found


if __name__ == "__main__":
    main()
