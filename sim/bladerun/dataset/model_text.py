"""The body in a stride, which anybody may have written: a closed list of MuJoCo's elements, or a refusal.

Takes MuJoCo's XML or a Stride dataset that has it; gives the text once it is known to be plain, or its model.
MuJoCo's own reader opens every file that the text names, takes what memory it asks for and repeats what it
says: so what is read here are bodies, joints, shapes, muscles and colours, their number bounded, without the
name of any file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from xml.parsers.expat import ExpatError, ParserCreate

import mujoco
import xarray as xr

from bladerun.errors import InputError


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ELEMENTS = _words("""
    actuator asset body camera compiler contact custom default general geom global headlight inertial joint
    light map material motor mujoco numeric option pair site size spatial statistic tendon texture visual
    worldbody
""")
_NAMES = _words("""
    angle autolimits biastype builtin castshadow class colorspace cone ctrllimited directional dyntype
    gaintype geom geom1 geom2 integrator joint limited mark material mode model name sidesite site tendon
    texture texuniform type
""")  # attributes whose values are names or words
_NUMBERS = _words("""
    ambient armature axis axisangle azimuth biasprm center conaffinity condim contype ctrlrange damping data
    diaginertia diffuse dir dynprm elevation euler extent fovy friction fromto fullinertia gainprm gear
    gravity group lengthrange margin markrgb mass pos quat range rgb1 rgb2 rgba shininess size solimp solref
    solreffriction specular springlength springref stiffness texrepeat timestep user xyaxes zfar znear
""")
_COUNTS = {  # attributes that MuJoCo takes memory by, and the most they may say
    "height": 2048, "width": 2048, "nuser_geom": 16, "nuser_jnt": 16, "offheight": 8192, "offwidth": 8192,
    "offsamples": 16, "shadowsize": 8192, "numeric size": 16,
}  # fmt: skip
_CHARACTERS, _MANY, _DEEP, _LARGE = 1_000_000, 5000, 60, 1e9  # a runner has 80 000, 800 elements, 20 deep


def model_of(stride: xr.Dataset) -> mujoco.MjModel:
    """The body of a stride, compiled. Raises InputError as `plain`, and where it makes no model."""
    try:
        return mujoco.MjModel.from_xml_string(plain(stride.attrs["model_xml"]))
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        said = " ".join(str(error).split())
        raise InputError(f"its model is none of MuJoCo's: {said}", key="model_xml") from None


def plain(xml: str) -> str:
    """The text as it is; InputError where it has what no runner's body has."""
    if not isinstance(xml, str) or len(xml) > _CHARACTERS or any(mark in xml for mark in ("<!", "<?", "&")):
        raise _refused("is not a text of plain elements")
    reader, walk = ParserCreate(), _Walk()
    reader.StartElementHandler, reader.EndElementHandler = walk.start, walk.end
    try:
        reader.Parse(xml.encode("ascii"), True)
    except (ExpatError, UnicodeEncodeError):
        raise _refused("is not a text of plain elements") from None
    return xml


class _Walk:
    """Where the reader is; raises at the first thing that is not allowed."""

    def __init__(self):
        self._inside: list[str] = []
        self._count = 0

    def start(self, element: str, attributes: Mapping[str, str]) -> None:
        self._count += 1
        if self._count > _MANY or len(self._inside) > _DEEP:
            raise _refused("has more parts than any runner")
        if element not in _ELEMENTS:
            raise _refused(f"has an element <{element[:40]}>, which no runner's has")
        for name, value in attributes.items():
            _check(element, name, value)
        if element in ("general", "motor"):
            self._check_actuator(attributes)
        self._inside.append(element)

    def end(self, _element: str) -> None:
        self._inside.pop()

    def _check_actuator(self, attributes: Mapping[str, str]) -> None:
        """MuJoCo searches for the range of a muscle that has none, for as long as that takes."""
        if self._inside[-1:] == ["actuator"]:
            searched = "lengthrange" not in attributes and {"class", "tendon", "gaintype"} & set(attributes)
        else:
            searched = self._inside[-2:] != ["default", "default"]  # what is outside a class is everyone's
        if searched:
            raise _refused("has a muscle without a range of lengths")


def _check(element: str, name: str, value: str) -> None:
    if name in _NAMES:
        return
    if name not in _NUMBERS and name not in _COUNTS:
        raise _refused(f"has {name[:40]} in <{element}>, which no runner's has")
    most = _COUNTS.get(f"{element} {name}", _COUNTS.get(name, _LARGE))
    try:
        allowed = all(math.isfinite(float(word)) and abs(float(word)) <= most for word in value.split())
    except ValueError:
        allowed = False
    if not allowed:
        raise _refused(f"has {name} {value[:40]!r} in <{element}>; numbers up to {most:g}")


def _refused(what: str) -> InputError:
    return InputError(f"its model {what}; not used", key="model_xml")
