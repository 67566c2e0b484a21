"""The picture of the body with its muscles: writes docs/muscles.png (needs EGL on Linux, as videos do).

Muscles are red, the Achilles tendon white; standing, seen from three sides; running; one leg amputated.
"""

import os
import sys
from pathlib import Path

if sys.platform == "linux":
    os.environ.setdefault("MUJOCO_GL", "egl")

import mujoco
import numpy as np
from matplotlib.figure import Figure

from bladerun.body.reference_gait import reference
from bladerun.body.runner import Amputation, Runner
from bladerun.fitting import Fitting
from bladerun.model import Model, build_model

SIZE = (900, 520)  # height, width
TRANSPARENT = 0.16


def picture(model: Model, q: np.ndarray, azimuth: float) -> np.ndarray:
    """(height, width, 3) uint8, the skin transparent."""
    mj = mujoco.MjModel.from_xml_string(model.xml)
    mj.vis.quality.offsamples = 0
    height, width = SIZE
    mj.mat_rgba[[mj.mat(i).name != "sole" for i in range(mj.nmat)], 3] = TRANSPARENT
    data = mujoco.MjData(mj)
    data.qpos[:] = q
    mujoco.mj_forward(mj, data)
    camera, option = mujoco.MjvCamera(), mujoco.MjvOption()
    camera.lookat[:] = 0.0, 0.0, 0.55
    camera.distance, camera.azimuth, camera.elevation = 1.75, azimuth, -4.0
    option.geomgroup[[0, 3]] = 0  # the floor, contact spheres
    with mujoco.Renderer(mj, height, width) as renderer:
        renderer.update_scene(data, camera, option)
        renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
        return renderer.render()


def main() -> None:
    able = build_model(Runner(75.0, 1.75))
    cut = build_model(Runner(75.0, 1.75), Amputation("right"), Fitting("j-sprint"))
    running = reference(able.joints, 3.3, 100, leg_length_m=able.leg_length_m).q[12]
    panels = {
        "side": (able, np.zeros(able.mj.nq), 90.0),
        "front": (able, np.zeros(able.mj.nq), 180.0),
        "back": (able, np.zeros(able.mj.nq), 0.0),
        "running": (able, running, 90.0),
        "transtibial": (cut, np.zeros(cut.mj.nq), 135.0),
    }
    figure = Figure(figsize=(13, 4.8), layout="constrained")
    for axes, (title, of) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        axes.imshow(picture(*of))
        axes.set_title(title, loc="left", fontsize=10)
        axes.axis("off")
    figure.savefig(Path(__file__).with_name("muscles.png"), dpi=90)


if __name__ == "__main__":
    main()
