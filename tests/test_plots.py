"""Plots: the files are there, the colours mean one side, and curves are shown as the reference shows them."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from bladerun._lib.data_files import models_dir
from bladerun.show import plots
from bladerun.show.plots import COLOURS
from models import muscled
from strides.synthetic import PERIOD, bell, stride


@pytest.fixture
def small(monkeypatch):
    """Figures are written small and without finding room for every label, which takes seconds."""
    whole = Figure.savefig

    def savefig(figure, path, **_):
        figure.set_layout_engine("none")
        whole(figure, path, dpi=20)

    monkeypatch.setattr(Figure, "savefig", savefig)


def test_every_picture_is_written(tmp_path):
    paths = plots.plot_run(stride(), tmp_path)
    assert sorted(path.stem for path in paths) == ["blade-loop", "energy", "foot-path", "gait-cycle"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_both_legs_start_at_their_own_touchdown_and_share_signs():
    def list_(t):
        return np.radians(4) * np.sin(2 * np.pi * (t - 0.02) / PERIOD)  # changes sign with every step

    figure = plots.gait_cycle(stride(angles={"pelvis_list": list_}, right_down=0.02, left_down=0.37))
    axes = next(a for a in figure.axes if a.get_title(loc="left") == "pelvis list")
    curves = {line.get_color(): line.get_ydata() for line in axes.lines if len(line.get_ydata()) > 100}
    assert curves[COLOURS["right"]] == pytest.approx(curves[COLOURS["left"]], abs=0.02)


def test_sideways_force_is_towards_the_midline_on_both_sides():
    made = stride()
    for i, sign in ((0, 1.0), (1, -1.0)):  # right foot pushed to the left, left foot to the right
        made.grf[:, i, 1] = sign * 100 * bell(made.time.values, (0.02, 0.37)[i], 0.25)
    figure = plots.gait_cycle(made)
    axes = next(a for a in figure.axes if a.get_title(loc="left") == "ground force, sideways")
    for line in axes.lines:
        if line.get_color() in COLOURS.values() and len(line.get_ydata()) > 100:
            assert max(line.get_ydata()) == pytest.approx(100 / (75 * 9.81), rel=1e-2)
            assert min(line.get_ydata()) > -1e-3


def test_loop_goes_out_and_back_over_the_same_line_when_nothing_is_lost():
    figure = plots.blade_loop(stride())
    loading, recoil = figure.axes[0].lines
    for line in (loading, recoil):
        force, compression = line.get_ydata(), line.get_xdata()
        assert force == pytest.approx(compression * 25e-3, abs=0.01)  # kN, mm, 25 kN/m


def test_a_runner_who_never_touches_the_ground_can_still_be_looked_at(tmp_path, small):
    assert plots.plot_run(stride(peak_n=10.0), tmp_path)


def test_activations_are_drawn_for_the_muscles_a_leg_has_with_published_timing_above_them():
    made = muscled.stride(side="right", knots=20)
    figure = plots.activations(made)
    panels = {axes.get_title(loc="left"): axes for axes in figure.axes}
    assert len(panels) == 20

    def drawn(title):
        return {line.get_color() for line in panels[title].lines if len(line.get_ydata()) > 100}

    def spans(title):
        paths = [bar.get_paths()[0].vertices[:, 0] for bar in panels[title].collections]
        return sorted((x.min(), x.max()) for x in paths)

    assert drawn("vasti") == set(COLOURS.values()) and drawn("soleus") == {COLOURS["left"]}
    assert spans("soleus") == [(0, 25), (86, 100)]
    assert spans("iliopsoas") == [(30, 60)] and spans("biceps femoris, short") == []


def test_every_timing_is_of_a_muscle_that_is_drawn_and_has_a_source():
    timing = pd.read_csv(models_dir() / "reference" / "emg.csv")
    assert set(timing.muscle) <= set(plots._MUSCLES)
    assert timing.on_percent.between(0, 100).all() and timing.off_percent.between(0, 100).all()
    assert timing.source.str.contains("doi").all() and timing.status.str.startswith("measured").all()


def test_a_stride_with_muscles_has_a_picture_of_them(tmp_path, small):
    written = [path.stem for path in plots.plot_run(muscled.stride(knots=20), tmp_path)]
    assert "activations" in written and "blade-loop" not in written
