"""Bench alignment: how a blade stands under its wearer, against geometry worked out by hand."""

import numpy as np
import pytest

from bladerun.body.runner import Amputation, Runner
from bladerun.errors import InputError
from bladerun.fitting import Fitting
from bladerun.gait.alignment import alignment, outside_rule
from bladerun.model import build_model
from bladerun.show.sketch import draw_alignment

RUNNER = Runner(72.0, 1.76, "female")


def aligned(side="right", **settings):
    fitting = Fitting("j-sprint", **settings)
    return alignment(build_model(RUNNER, Amputation(side), fitting).mj, side, fitting.sagittal_deg)


def test_the_toe_is_where_profile_and_clamp_put_it():
    upright = aligned(sagittal_deg=0.0)  # lowest point 212 mm ahead of the tab, tab 75 mm behind the limb
    assert upright.toe_ahead_mm == pytest.approx(212.0 - 75.0, abs=4.0)
    flexed = aligned(sagittal_deg=5.0)
    assert 5.0 < upright.toe_ahead_mm - flexed.toe_ahead_mm < 25.0, "the knee moves ahead over the same blade"
    assert flexed.alpha_deg == pytest.approx(upright.alpha_deg, abs=0.2), "the blade stays upright"
    moved = aligned(sagittal_deg=0.0, fore_aft_mm=-20.0, toe_out_deg=-7.5)
    assert moved.toe_ahead_mm - aligned(sagittal_deg=0.0, toe_out_deg=-7.5).toe_ahead_mm == pytest.approx(
        -20.0, abs=0.01
    )


@pytest.mark.parametrize("side", ["left", "right"])
def test_angles_belong_to_the_drawn_points(side):
    found = aligned(side, height_mm=10.0)
    (rear_x, rear_z), (toe_x, toe_z) = found.rear_m, found.toe_m
    assert np.tan(np.radians(found.alpha_deg)) == pytest.approx((rear_z - toe_z) / (toe_x - rear_x))
    assert np.tan(np.radians(found.beta_deg)) == pytest.approx(rear_x / rear_z)
    assert found.hip_m[0] == pytest.approx(0.0, abs=1e-6) and found.height_difference_mm == pytest.approx(
        10.0, abs=3e-3
    )
    assert found.blade_m[:, 0].min() == pytest.approx(rear_x, abs=2e-3)


def test_the_default_lies_inside_the_published_rule_and_a_leaning_blade_does_not():
    assert aligned().outside("J") == []
    assert outside_rule("C", {}) is None
    outside = aligned(fore_aft_mm=-60.0).outside("J")
    assert any(text.startswith("beta") for text in outside)
    assert outside_rule("J", {"toe_ahead_mm": 300.0, "alpha_deg": 40.0, "beta_deg": 30.0}) == [
        "toe ahead 300 mm, rule 80 to 235 mm"
    ]


def test_the_drawing_takes_two_views():
    from matplotlib.figure import Figure

    model = build_model(RUNNER, Amputation("left"), Fitting("j-sprint")).mj
    axes = Figure().subplots()
    assert draw_alignment(axes, model, "left", 5.0).toe_ahead_mm > 0
    with pytest.raises(InputError, match="above"):
        draw_alignment(axes, model, "left", 5.0, "above")
