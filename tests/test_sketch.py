"""Sketches: outlines are those of the shapes, what stands where is drawn there, each side in its colour."""

import json

import mujoco
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from bladerun._lib.table import plain
from bladerun.body.runner import Amputation, Runner
from bladerun.errors import InputError
from bladerun.fitting import Fitting
from bladerun.model import build_model
from bladerun.show.plots import COLOURS
from bladerun.show.sketch import VIEWS, draw_body, draw_stride, moments
from bladerun.task import Task
from strides.synthetic import stride

SHAPES = {
    "sphere": ('type="sphere" size=".3"', {"side": np.pi * 0.09}),
    "ellipsoid": ('type="ellipsoid" size=".1 .2 .3"', {"side": np.pi * 0.03, "behind": np.pi * 0.06}),
    "capsule": ('type="capsule" size=".1 .4"', {"side": np.pi * 0.01 + 0.16, "above": np.pi * 0.01}),
    "cylinder": ('type="cylinder" size=".1 .4"', {"side": 0.16, "above": np.pi * 0.01}),
    "box": ('type="box" size=".1 .2 .3"', {"side": 0.12, "behind": 0.24, "above": 0.08}),
}


def _axes():
    return Figure().subplots()


def _area(polygon):
    x, y = polygon.get_xy().T
    return abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2


@pytest.mark.parametrize("shape", SHAPES)
def test_outline_has_the_area_of_the_shadow(shape):
    xml, areas = SHAPES[shape]
    model = mujoco.MjModel.from_xml_string(f'<mujoco><worldbody><geom group="1" {xml}/></worldbody></mujoco>')
    for view, area in areas.items():
        axes = _axes()
        draw_body(axes, model, np.zeros(0), view)
        assert _area(axes.patches[0]) == pytest.approx(area, rel=0.02)


@pytest.mark.parametrize("side", ["right", "left"])
def test_prosthesis_has_the_colour_of_its_side(side):
    model = build_model(Runner(75.0, 1.75), Amputation(side), Fitting("c-distance"))
    axes = _axes()
    draw_body(axes, model.mj, np.zeros(model.mj.nq))
    colours = {to_hex(patch.get_facecolor()) for patch in axes.patches}
    other = {"right": "left", "left": "right"}[side]
    assert COLOURS[side].lower() in colours and COLOURS[other].lower() not in colours


@pytest.mark.parametrize("view", VIEWS)
def test_stride_is_drawn_where_it_runs(view):
    made, axes = stride(right_down=0.0, contact=0.25), _axes()
    time = 0.125  # greatest force on the right
    draw_stride(axes, made, time, view)
    com = axes.lines[0].get_xydata()[0]
    forward, up = 3.0 * time, 1.0 - 0.05 * np.cos(4 * np.pi * time / 0.7)
    wanted = {"side": (forward, up), "behind": (0, up), "above": (forward, 0)}[view]
    assert com == pytest.approx(wanted, abs=2e-3)


def test_a_slope_rises_and_straight_down_is_where_a_plumb_line_hangs():
    def drawn(slope_percent):
        task = json.dumps(plain(Task(3.0, slope_percent=slope_percent)))
        axes = _axes()
        draw_stride(axes, stride(right_down=0.0, contact=0.25).assign_attrs(task=task), 0.125)
        com, plumb, ground = axes.lines
        return com.get_xydata()[0], plumb.get_xydata(), ground

    angle = np.arctan(0.1)
    com, plumb, ground = drawn(10.0)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert com == pytest.approx(turn @ drawn(0.0)[0])
    assert plumb == pytest.approx(np.array([[com[0], 0.1 * com[0]], com]))
    assert ground.get_slope() is None and np.diff(ground.get_xy2())[0] != 0
    (x, y), (u, v) = ground.get_xy1(), ground.get_xy2()
    assert (v - y) / (u - x) == pytest.approx(0.1) and y == pytest.approx(0.1 * x)


def test_moments_are_those_of_the_force_and_the_blade():
    times = moments(stride(right_down=0.02, contact=0.25))
    assert list(times) == ["touchdown", "greatest compression", "toe-off"]
    assert times["greatest compression"] == pytest.approx(0.02 + 0.125, abs=1e-3)
    assert times["touchdown"] == pytest.approx(0.02, abs=0.012) and times["toe-off"] > 0.25


def test_force_is_an_arrow_in_contact_only():
    made = stride(right_down=0.0, left_down=0.35, contact=0.25)
    arrows = []
    for time in (0.125, 0.30):
        axes = _axes()
        draw_stride(axes, made, time)
        arrows.append(sum(type(patch).__name__ == "FancyArrowPatch" for patch in axes.patches))
    assert arrows == [1, 0]


def test_unknown_view_or_side_is_told_with_the_known_ones():
    with pytest.raises(InputError, match="view: 'below' is not allowed; known: above, behind, side"):
        draw_body(_axes(), mujoco.MjModel.from_xml_string("<mujoco/>"), np.zeros(0), "below")
    with pytest.raises(InputError, match="side: 'leftt' is not allowed; did you mean 'left'"):
        moments(stride(), "leftt")


def test_positions_of_another_body_are_refused():
    with pytest.raises(InputError, match=r"q: shape \(3,\) is not allowed; this body has \(0,\)"):
        draw_body(_axes(), mujoco.MjModel.from_xml_string("<mujoco/>"), np.zeros(3))
