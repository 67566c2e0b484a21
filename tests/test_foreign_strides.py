"""A stride from elsewhere is data: whatever is in its file, a sentence or the stride; no other is opened."""

import json
import os
import struct
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bladerun import cli
from bladerun.dataset import netcdf
from bladerun.dataset.check import check, check_solved
from bladerun.dataset.files import read_stride, write_stride
from bladerun.dataset.model_text import model_of, plain
from bladerun.errors import InputError
from bladerun.forward.verification import verify
from bladerun.gait.opensim import export
from bladerun.study.job import _SEED
from models import muscled
from strides.synthetic import stride as synthetic

MADE = muscled.stride(side="right", knots=8)
RAW = netcdf.packed(MADE)
TAKES_A_STRIDE = ("export", "video", "verify", "hold")


def said(capsys, *argv):
    """The one sentence with which a command ends, having written nothing."""
    before = sorted(os.listdir())
    assert cli.main([*argv]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("bladerun: ") and err.count("\n") == 1
    assert sorted(os.listdir()) == before
    return err


# --- Bytes that were changed -----------------------------------------------------------------------------

_AT = st.one_of(st.integers(0, 3000), st.integers(0, len(RAW) - 1))
_CHANGES = st.one_of(
    st.tuples(st.just("set"), _AT, st.binary(min_size=1, max_size=8)),
    st.tuples(st.just("cut"), _AT, st.just(b"")),
    st.tuples(st.just("add"), _AT, st.binary(min_size=1, max_size=8)),
    st.tuples(st.just("wipe"), _AT, st.integers(1, 2000).map(bytes)),
)


def changed(raw, changes):
    for kind, at, content in changes:
        at = min(at, len(raw))
        end = {"set": at + len(content), "cut": len(raw), "add": at, "wipe": at + len(content)}[kind]
        raw = raw[:at] + content + raw[end:]
    return raw


@settings(max_examples=200, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_CHANGES, min_size=1, max_size=4))
def test_a_damaged_file_is_a_sentence_or_a_stride(tmp_path, changes):
    (tmp_path / "x.nc").write_bytes(changed(RAW, changes))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            export(read_stride(tmp_path / "x.nc"), tmp_path)
        except InputError as error:
            assert "\n" not in str(error) and len(str(error)) < 400 + len(str(tmp_path))


@settings(max_examples=60, deadline=5000)
@given(
    st.sampled_from(sorted(key for key, value in MADE.attrs.items() if isinstance(value, str))),
    st.one_of(st.text(max_size=30), st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    ).map(json.dumps)),
)  # fmt: skip
def test_whatever_a_stride_says_of_itself_is_read_or_refused(key, text):
    from bladerun.dataset.asked import asked_of, environment_of, person_of

    told = MADE.assign_attrs({key: text})
    for question in (check, asked_of, environment_of, person_of):
        try:
            question(told)
        except InputError as error:
            assert "\n" not in str(error)


# --- Sizes, formats, things that are no files ------------------------------------------------------------


def test_a_file_cannot_declare_more_than_it_holds():
    """Neither by a long or endless dimension, nor by arrays that stand in the same place."""
    small = netcdf.packed(xr.Dataset({"a": ("x", np.arange(5.0)), "b": ("y", np.arange(7.0))}))
    assert netcdf.read(small).sizes == {"x": 5, "y": 7}
    for number in (2**31 - 1, 10**6, 0):
        with pytest.raises(InputError, match="damaged"):
            netcdf.read(small.replace(struct.pack(">4sI", b"x", 5), struct.pack(">4sI", b"x", number)))
    first = struct.pack(">Q", len(small) - 8 * 12)
    seconds = [struct.pack(">Q", len(small) - 8 * count) for count in (5, 7)]  # whichever comes last
    both_first = small.replace(seconds[0], first).replace(seconds[1], first)
    assert both_first != small
    with pytest.raises(InputError, match="damaged"):
        netcdf.read(both_first)


def test_many_names_take_no_time():
    with pytest.raises(InputError, match="damaged"):
        netcdf.read(b"CDF\2" + struct.pack(">III", 0, 10, 2**31 - 1) + bytes(10_000_000))


def test_netcdf_4_is_told_how_to_become_netcdf_3(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(1000))
    for command in TAKES_A_STRIDE:
        assert "NetCDF-4 (HDF5), whose files can refer to others" in said(capsys, command, "s.nc")


def test_netcdf_4_that_is_trusted_is_written_anew(tmp_path):
    pytest.importorskip("netCDF4")
    synthetic().to_netcdf(tmp_path / "old.nc", engine="netcdf4")
    write_stride(xr.load_dataset(tmp_path / "old.nc", engine="netcdf4"), tmp_path / "new.nc")
    assert read_stride(tmp_path / "new.nc").identical(synthetic())


def test_what_is_no_file_or_too_large_is_not_read(tmp_path, monkeypatch):
    write_stride(MADE, tmp_path / "s.nc")
    monkeypatch.setattr("bladerun.dataset.files.MOST_BYTES", 1000)
    with pytest.raises(InputError, match="too large"):
        read_stride(tmp_path / "s.nc")
    with pytest.raises(InputError, match="not a file"):
        read_stride(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.nc")
        with pytest.raises(InputError, match="not a file"):
            read_stride(tmp_path / "pipe.nc")


def test_a_path_is_a_path(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("http:a", "run1:a", "[fillmismatch]#mode=bytes", "a b%20c?", "dap4#"):
        os.mkdir(name)
        path = os.path.join(name, "s#1.nc")
        write_stride(MADE, path)
        assert read_stride(path).identical(MADE)
        assert cli.main(["export", path]) == 0
        there = ["ground_forces.mot", "model.osim", "moments.sto", "motion.mot", "s#1.nc"]
        assert sorted(os.listdir(name))[1:] == there
    capsys.readouterr()


def test_no_lock_is_asked_of_the_file_system(tmp_path):
    """As on a file system that answers ENOLCK: neither `flock` nor the locks of `fcntl` are called."""
    pytest.importorskip("fcntl")
    code = (
        "import fcntl, sys\n"
        "def none(*_): raise OSError(37, 'No locks available')\n"
        "fcntl.flock = fcntl.lockf = none\n"
        "from bladerun.dataset.files import read_stride, write_stride\n"
        "write_stride(read_stride(sys.argv[1]), sys.argv[2])\n"
        "assert not {'netCDF4', 'h5py', 'h5netcdf'} & set(sys.modules)\n"
    )
    write_stride(MADE, tmp_path / "s.nc")
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "s.nc"), str(tmp_path / "t.nc")], check=True)
    assert read_stride(tmp_path / "t.nc").identical(MADE)


# --- A model that asks for more than numbers -------------------------------------------------------------

_BODY = '<body name="b"><geom size=".1"/></body>'
XML = {  # what stands in the model, and what is said of it
    "another file": ('<include file="/etc/passwd"/>', "<include>"),
    "a pipe": ('<include file="{pipe}"/>', "<include>"),
    "a mesh": ('<asset><mesh name="m" file="{pipe}"/></asset>', "<mesh>"),
    "a texture of a file": ('<asset><texture name="t" file="{pipe}"/></asset>', "file in <texture>"),
    "a texture of six": ('<asset><texture name="t" type="cube" fileup="{pipe}"/></asset>', "fileup"),
    "heights": ('<asset><hfield name="h" file="{pipe}"/></asset>', "<hfield>"),
    "a skin": ('<asset><skin name="s" file="{pipe}"/></asset>', "<skin>"),
    "a model in a model": ('<asset><model name="m" file="{pipe}"/></asset>', "<model>"),
    "folders": ('<compiler meshdir="/etc"/>', "meshdir"),
    "a plugin": ('<extension><plugin plugin="mujoco.elasticity.cable"/></extension>', "<extension>"),
    "a repetition": (f'<worldbody><replicate count="1000000000">{_BODY}</replicate></worldbody>', "<repl"),
    "a flexible body": ('<worldbody><flexcomp name="f" count="999 999 999"/></worldbody>', "<flexcomp>"),
    "a composite": ('<worldbody><composite type="cable" count="99999 1 1"/></worldbody>', "<composite>"),
    "memory": ('<size memory="100G"/>', "memory in <size>"),
    "user data": ('<size nuser_geom="1000000000"/>', "nuser_geom"),
    "a huge texture": (
        '<asset><texture name="t" type="2d" builtin="flat" width="100000" height="100000"/></asset>', "width",
    ),
    "many numbers": ('<custom><numeric name="n" size="1000000000"/></custom>', "size '1000000000'"),
    "a huge number": ('<worldbody><geom size="1e300"/></worldbody>', "size '1e300'"),
    "no number": ('<worldbody><geom size="nan"/></worldbody>', "size 'nan'"),
    "an entity": ("<!DOCTYPE mujoco [<!ENTITY a 'b'>]>", "plain elements"),
    "a comment": ("<!-- -->", "plain elements"),
    "another encoding": ('<?xml version="1.0" encoding="utf-7"?>', "plain elements"),
    "a reference": ('<worldbody><geom name="&#60;" size="1"/></worldbody>', "plain elements"),
    "depth": ("<worldbody>" + 100 * "<body>" + 100 * "</body>" + "</worldbody>", "more parts"),
    "number": ("<worldbody>" + 6000 * _BODY.replace(' name="b"', "") + "</worldbody>", "more parts"),
    "length": (" " * 2_000_000, "plain elements"),
    "a muscle to be searched": (
        '<actuator><general joint="j" dyntype="muscle" gaintype="muscle" biastype="muscle"/></actuator>',
        "without a range",
    ),
    "a muscle of a class to be searched": ('<actuator><general class="m"/></actuator>', "without a range"),
    "muscles for all": ('<default><general gaintype="muscle"/></default>', "without a range"),
    "half of it": ("<worldbody>", "plain elements"),
    "nonsense": ("<worldbody><geom type='spheroid'/></worldbody>", "none of MuJoCo's"),
}  # fmt: skip


@pytest.mark.parametrize("case", XML)
def test_a_model_is_bodies_and_numbers_or_a_sentence(tmp_path, monkeypatch, capsys, case):
    text, words = XML[case]
    monkeypatch.chdir(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo("pipe")  # who opened it would wait for ever
    xml = f"<mujoco>{text.replace('{pipe}', str(tmp_path / 'pipe'))}</mujoco>"
    write_stride(MADE.assign_attrs(model_xml=xml), "s.nc")
    assert words in said(capsys, "export", "s.nc")
    with pytest.raises(InputError):  # also where the stride was read by xarray
        model_of(MADE.assign_attrs(model_xml=xml))


def test_every_body_that_bladerun_builds_is_plain():
    for side in ("none", "left", "right", "both"):
        assert plain(muscled.model(side).xml) == muscled.model(side).xml


# --- Values that do not belong together ------------------------------------------------------------------


def _with(name, change):
    return lambda made: made.assign({name: (made[name].dims, change(made[name].values.copy()))})


def _one(value):
    def change(values):
        values.flat[3] = value
        return values

    return change


BARE = muscled.model("none").xml
DAMAGE = {  # what was done to a stride, and what is said of it
    "no motion": (lambda made: made.drop_vars("q"), "q: missing"),
    "no moments": (lambda made: made.drop_vars("tau"), "tau: missing"),
    "no time": (lambda made: made.drop_vars("time"), "time: missing"),
    "no labels": (lambda made: made.drop_vars("joint_part"), "joint_part: missing"),
    "no muscles' forces": (lambda made: made.drop_vars("muscle_force"), "muscle_force: missing"),
    "no model": (lambda made: made.assign_attrs(model_xml=1.0), "model_xml: missing"),
    "another status": (lambda made: made.assign_attrs(status="splendid"), "status: 'splendid' is"),
    "a speed in words": (lambda made: made.assign_attrs(speed_m_s="fast"), "speed_m_s: 'fast'"),
    "no duration": (lambda made: made.assign_attrs(stride_time_s=0.0), "stride_time_s: 0 is"),
    "a mass that is none": (lambda made: made.assign_attrs(mass_kg=np.nan), "mass_kg: nan"),
    "NaN in the motion": (_with("q", _one(np.nan)), "q: it holds numbers that are not finite"),
    "infinite forces": (_with("grf", _one(np.inf)), "grf: it holds"),
    "huge places": (_with("site_position", _one(1e200)), "site_position: it holds"),
    "time that stands still": (_with("time", _one(0.0)), "time: not allowed; ascending"),
    "whole numbers": (lambda made: made.assign(q=made.q.astype("int32")), "q: not allowed; numbers over"),
    "turned": (lambda made: made.assign(q=made.q.T), "q: not allowed; numbers over time, joint"),
    "other joints": (lambda made: made.assign_coords(joint=made.joint.values[::-1]), "joint: not those"),
    "another body": (lambda made: made.assign_attrs(model_xml=BARE), "joint: not those of its model"),
    "fewer muscles": (lambda made: made.isel(muscle=slice(3, None)), "muscle: not those of its model"),
    "swapped sides": (lambda made: made.assign_coords(side=["left", "right"]), "side: not allowed"),
    "few moments": (lambda made: made.isel(time=slice(0, 3)), "time: 3 is not allowed"),
    "a seed": (
        lambda made: made.assign(multiplier=made.q)[list(_SEED)],
        "it is a seed, which holds only what another stride of its study starts from",
    ),
    "nothing": (lambda made: xr.Dataset(), "time: missing"),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGE)
def test_every_command_refuses_a_stride_that_is_not_whole(tmp_path, monkeypatch, capsys, case):
    damage, words = DAMAGE[case]
    monkeypatch.chdir(tmp_path)
    write_stride(damage(MADE), "s.nc")
    for command in TAKES_A_STRIDE:
        assert f"s.nc: not a stride: {words}" in said(capsys, command, "s.nc")


def test_a_stride_that_nobody_solved_is_not_run_again():
    for missing in ("control_points", "multiplier", "reserve"):
        solved = MADE.assign(control_points=MADE.q, multiplier=MADE.q, reserve=MADE.reserve)
        with pytest.raises(InputError, match=f"{missing}: missing"):
            check_solved(solved.drop_vars(missing))
    with pytest.raises(InputError, match="control_points: missing"):
        verify(MADE)


# --- Files of ours for another purpose -------------------------------------------------------------------

OURS = {
    "outcomes.parquet": "a table of outcomes",
    "outcomes.json": "a file of JSON",
    "model.xml": "a model",
    "sheet.pdf": "a PDF",
    "plot.png": "a picture",
    "report.html": "a page",
    "run.mp4": "a video",
    "motion.mot": "a file for OpenSim",
    "runner.toml": "a runner's file",
    "study.toml": "the file of a study",
    "blade.toml": "a blade's file",
    "stride.nc": "a stride",
    "empty.nc": "an empty file",
}


@pytest.fixture
def ours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"a": [1.0]}).to_parquet("outcomes.parquet")
    write_stride(MADE, "stride.nc")
    texts = {
        "outcomes.json": '{"a": 1}', "model.xml": MADE.attrs["model_xml"], "sheet.pdf": "%PDF-1.4\n",
        "report.html": "<!DOCTYPE html>\n<html>", "motion.mot": "motion\nversion=1\nendheader\ntime\n",
        "runner.toml": "[runner] # who\nmass_kg = 70\n", "empty.nc": "",
        "study.toml": 'base = "runner.toml"\n[design]\nkind = "grid"\n', "blade.toml": "[stiffness]\n",
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "plot.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "run.mp4").write_bytes(b"\0\0\0 ftypisom")


def test_a_file_of_another_kind_is_named(ours, capsys):
    for name, what in OURS.items():
        if name != "stride.nc":
            for command in TAKES_A_STRIDE:
                assert f"{name}: not a stride but {what}" in said(capsys, command, name)
        if name not in ("runner.toml", "empty.nc"):
            for command in ("run", "fit", "model"):
                assert f"{name}: not a runner's file but {what}" in said(capsys, command, name)
        if name not in ("study.toml", "empty.nc"):
            for command in ("sweep", "optimise"):
                assert f"{name}: not the file of a study but {what}" in said(capsys, command, name)
        for command in ("status", "plot"):
            assert f"{name}: holds no study" in said(capsys, command, name)
    for name in ("runner.toml", "study.toml"):
        what = f"{name}: not a blade's file but {OURS[name]}"
        assert what in said(capsys, "bench", name, "--category", "3")
