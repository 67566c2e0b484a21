"""The runner's body as OpenSim reads it: `.osim`, where `opensim`'s motion puts every joint in its place.

Takes MuJoCo's model of a runner; gives text with bodies, masses, coordinates, markers and shapes to look at.
Every body's frame is this project's turned into OpenSim's axes (x forward, y up, z to the right), but for the
pelvis the coordinates are OpenSim's own, as `opensim` says. Joints of one body about one point are one
`CustomJoint`; where a body turns about several points, bodies without mass stand between them. Forces,
muscles and the springs of blade and socket are not in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

TO_OPENSIM = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])  # x, z, -y of this project
ROOT_SIGNS = np.array([-1.0, -1.0, 1.0])  # this project's tilt is anterior, its list right hip up
_VERSION = "40000"
_SHOWN_GROUP = 1
_STRAIGHT = np.array([1.0, 0.0, 0.0, 0.0])


def model_text(mj: mujoco.MjModel, name: str) -> str:
    """The document.

    Parameters
    ----------
    mj
        A runner's body; its first joints are the pelvis's.
    name
        What the model is called.

    Returns
    -------
    str
        XML of OpenSim 4.

    References
    ----------
    CustomJoint and SpatialTransform: Seth 2018, doi 10.1371/journal.pcbi.1006223; rotations follow each other
    about axes that turn along, as MuJoCo's joints of one body do.
    """
    document = Element("OpenSimDocument", Version=_VERSION)
    model = SubElement(document, "Model", name=name)
    _say(model, "gravity", TO_OPENSIM @ mj.opt.gravity)
    bodies = SubElement(SubElement(model, "BodySet"), "objects")
    joints = SubElement(SubElement(model, "JointSet"), "objects")
    for body in range(1, mj.nbody):
        _add_body(bodies, joints, mj, body)
    markers = SubElement(SubElement(model, "MarkerSet"), "objects")
    for site in _landmarks(mj):
        marker = SubElement(markers, "Marker", name=mj.site(site).name)
        _say(marker, "socket_parent_frame", _path(mj, mj.site_bodyid[site]))
        _say(marker, "location", TO_OPENSIM @ mj.site_pos[site])
        _say(marker, "fixed", "true")
    indent(document)
    return tostring(document, encoding="unicode", xml_declaration=True) + "\n"


def pelvis_point(mj: mujoco.MjModel) -> np.ndarray:
    """(3,) m, in the pelvis: midway between the ASIS, where OpenSim's models have it."""
    return mj.site_pos[[mj.site("asis_r").id, mj.site("asis_l").id]].mean(0)


def _landmarks(mj: mujoco.MjModel) -> list[int]:
    """Sites that no muscle runs through."""
    through = mj.wrap_objid[mj.wrap_type == mujoco.mjtWrap.mjWRAP_SITE.value]
    return [site for site in range(mj.nsite) if site not in through]


def _add_body(bodies: Element, joints: Element, mj: mujoco.MjModel, body: int) -> None:
    """The body, what stands between it and its parent, and the joints of both."""
    name, groups = mj.body(body).name, list(_groups(mj, body)) or [[]]
    chain = [f"{name}_{k}_of_{len(groups)}" for k in range(1, len(groups))] + [name]
    for between in chain[:-1]:
        _add_mass(SubElement(bodies, "Body", name=between), 0.0, np.zeros(3), np.zeros((3, 3)))
    whole = SubElement(bodies, "Body", name=name)
    turn = _turn(mj.body_iquat[body])
    inertia = TO_OPENSIM @ turn @ np.diag(mj.body_inertia[body]) @ turn.T @ TO_OPENSIM.T
    _add_mass(whole, mj.body_mass[body], TO_OPENSIM @ mj.body_ipos[body], inertia)
    _add_shapes(whole, mj, body)
    parent, pos, quat = _path(mj, mj.body_parentid[body]), mj.body_pos[body], mj.body_quat[body]
    for child, group in zip(chain, groups, strict=True):
        _add_joint(joints, mj, group, (parent, child), pos, quat)
        parent, pos, quat = f"/bodyset/{child}", np.zeros(3), _STRAIGHT


def _groups(mj: mujoco.MjModel, body: int) -> Iterator[list[int]]:
    """Joints of a body that one `CustomJoint` has room for: slides, then turns about one point."""
    first, count = mj.body_jntadr[body], mj.body_jntnum[body]
    cuts = [first]
    for j in range(first + 1, first + count):
        slides_late = _slides(mj, j) and not _slides(mj, j - 1)
        if slides_late or not np.array_equal(mj.jnt_pos[j], mj.jnt_pos[j - 1]):
            cuts.append(j)
    for start, end in pairwise([*cuts, first + count] if count else []):
        yield list(range(start, end))


def _add_joint(
    joints: Element,
    mj: mujoco.MjModel,
    group: Sequence[int],
    ends: tuple[str, str],
    pos: np.ndarray,
    quat: np.ndarray,
) -> None:
    """ends: path of the parent and name of the child, which stands at pos and quat in it; none: a weld."""
    parent, child = ends
    root = bool(group) and group[0] == 0
    joint = SubElement(joints, "CustomJoint" if group else "WeldJoint", name=f"to_{child}")
    _say(joint, "socket_parent_frame", f"{child}_in_parent")
    _say(joint, "socket_child_frame", f"{child}_in_child")
    anchor = pelvis_point(mj) if root else mj.jnt_pos[group[0]] if group else np.zeros(3)
    if group:
        _add_coordinates(SubElement(joint, "coordinates"), mj, group)
    frames = SubElement(joint, "frames")
    at = np.zeros(3) if root else pos + _turn(quat) @ anchor
    _add_frame(frames, f"{child}_in_parent", parent, TO_OPENSIM @ at, quat)
    _add_frame(frames, f"{child}_in_child", f"/bodyset/{child}", TO_OPENSIM @ anchor, _STRAIGHT)
    if group:
        _add_transform(SubElement(joint, "SpatialTransform"), mj, group, root=root)


def _add_coordinates(coordinates: Element, mj: mujoco.MjModel, group: Sequence[int]) -> None:
    for j in group:
        coordinate = SubElement(coordinates, "Coordinate", name=mj.joint(j).name)
        if mj.jnt_limited[j] and j > 5:
            _say(coordinate, "range", mj.jnt_range[j])


def _add_transform(transform: Element, mj: mujoco.MjModel, group: Sequence[int], *, root: bool) -> None:
    turns = [j for j in group if not _slides(mj, j)]
    slides = [j for j in group if _slides(mj, j)]
    turn_axes = [TO_OPENSIM @ mj.jnt_axis[j] for j in turns]
    slide_axes = [TO_OPENSIM @ mj.jnt_axis[j] for j in slides]
    if root:
        turn_axes = [sign * axis for sign, axis in zip(ROOT_SIGNS, turn_axes, strict=True)]
        slide_axes = list(np.eye(3))
    for kind, ids, axes in (("rotation", turns, turn_axes), ("translation", slides, slide_axes)):
        names = [mj.joint(j).name for j in ids] + [""] * (3 - len(ids))
        for k, (name, axis) in enumerate(zip(names, _three(axes), strict=True), 1):
            each = SubElement(transform, "TransformAxis", name=f"{kind}{k}")
            _say(each, "coordinates", name)
            _say(each, "axis", axis)
            if name:
                _say(SubElement(each, "LinearFunction", name="function"), "coefficients", [1, 0])
            else:
                _say(SubElement(each, "Constant", name="function"), "value", [0])


def _three(axes: Sequence[np.ndarray]) -> list[np.ndarray]:
    """These and what makes them three that no plane holds."""
    full = list(axes)
    while len(full) < 3:
        least = np.argmin(np.abs(np.array(full)).sum(0)) if full else len(full)
        side = np.eye(3)[least] if len(full) < 2 else np.cross(full[0], full[1])
        full.append(side / np.linalg.norm(side))
    return full


def _add_mass(body: Element, mass: float, centre: np.ndarray, inertia: np.ndarray) -> None:
    _say(body, "mass", [mass])
    _say(body, "mass_center", centre)
    _say(body, "inertia", inertia[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]])


def _add_shapes(body: Element, mj: mujoco.MjModel, number: int) -> None:
    shown = np.flatnonzero((mj.geom_bodyid == number) & (mj.geom_group == _SHOWN_GROUP))
    if not len(shown):
        return
    frames = SubElement(body, "components")
    for k in shown:
        kind, size = mujoco.mjtGeom(int(mj.geom_type[k])), mj.geom_size[k]
        round_ = kind in (mujoco.mjtGeom.mjGEOM_CAPSULE, mujoco.mjtGeom.mjGEOM_CYLINDER)
        frame = _add_frame(frames, f"shape_{k}", "..", TO_OPENSIM @ mj.geom_pos[k], mj.geom_quat[k])
        shapes = SubElement(frame, "attached_geometry")
        if round_:  # their axis is z here and y there
            _say(shape := SubElement(shapes, "Cylinder", name=f"part_{k}"), "radius", [size[0]])
            _say(shape, "half_height", [size[1]])
        elif kind == mujoco.mjtGeom.mjGEOM_BOX:
            _say(SubElement(shapes, "Brick", name=f"part_{k}"), "half_lengths", np.abs(TO_OPENSIM @ size))
        else:
            radii = size if kind == mujoco.mjtGeom.mjGEOM_ELLIPSOID else size[[0, 0, 0]]
            _say(SubElement(shapes, "Ellipsoid", name=f"part_{k}"), "radii", np.abs(TO_OPENSIM @ radii))


def _add_frame(frames: Element, name: str, parent: str, pos: np.ndarray, quat: np.ndarray) -> Element:
    frame = SubElement(frames, "PhysicalOffsetFrame", name=name)
    _say(frame, "socket_parent", parent)
    _say(frame, "translation", pos)
    turned = Rotation.from_matrix(TO_OPENSIM @ _turn(quat) @ TO_OPENSIM.T)
    _say(frame, "orientation", turned.as_euler("XYZ"))
    return frame


def _path(mj: mujoco.MjModel, body: int) -> str:
    return f"/bodyset/{mj.body(body).name}" if body else "/ground"


def _slides(mj: mujoco.MjModel, joint: int) -> bool:
    return mj.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE.value


def _turn(quat: np.ndarray) -> np.ndarray:
    return Rotation.from_quat(quat, scalar_first=True).as_matrix()


def _say(element: Element, name: str, value) -> None:
    words = value if isinstance(value, str) else " ".join(repr(float(each)) for each in value)
    SubElement(element, name).text = words
