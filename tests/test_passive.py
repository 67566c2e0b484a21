"""Passive joint laws: held to MuJoCo's own springs, to finite differences, and to what they must never do."""

import mujoco
import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bladerun.body.passive_laws import PARAMETERS, write_law
from bladerun.environment import Environment, Ground
from bladerun.errors import InputError, ModelError
from bladerun.forward.simulator import Simulator
from bladerun.stride.dynamics.passive import (
    DEAD_BAND,
    LINEAR,
    POLYNOMIAL,
    STOP,
    energy_and_loss,
    law_energy,
    law_force,
    laws_of,
    written_laws,
)
from bladerun.stride.dynamics.required_forces import required
from bladerun.stride.dynamics.tree import external, tree_of
from models.hopper import HOPPER, PASSIVE, compiled, with_laws

KINDS = list(PARAMETERS)
OUTSIDE = Environment((0.0, 0.0, -9.81), Ground(0.01, 0.1, 20.0))
positions, speeds = st.floats(-0.3, 0.3), st.floats(-4.0, 4.0)
each_law = pytest.mark.parametrize(("joint", "kind", "parameters"), PASSIVE)


def row(kind, parameters):
    p = np.zeros(7)
    p[: len(PARAMETERS[kind])] = [parameters[name] for name in PARAMETERS[kind]]
    return KINDS.index(kind), p


def force(law, q, v):
    by = np.zeros(6)
    law_force(*law, q, v, by)
    return by


@each_law
@example(q=0.0301, v=1.0)
@example(q=0.1, v=1.0)
@given(q=positions, v=speeds)
def test_derivatives_are_those_of_the_force(joint, kind, parameters, q, v):
    law, eps = row(kind, parameters), 1e-6
    if kind == "dead band":  # its damper sets in along a ramp, with a step in slope at either end
        rim = abs(abs(q - parameters["rest"]) - parameters["half_width"])
        assume(abs(rim - parameters["rounding"]) > 2 * eps)
    by = force(law, q, v)
    scale = 1.0 + np.abs(by).max()
    first = [
        (force(law, q + d, v + e) - force(law, q - d, v - e)) / (2 * eps) for d, e in ((eps, 0), (0, eps))
    ]
    np.testing.assert_allclose(by[[1, 2]], [first[0][0], first[1][0]], atol=1e-5 * scale)
    corner = kind in ("dead band", "stop")  # a parabola's second derivative has a step at its ends
    corner |= kind == "polynomial" and abs(v) < 2 * eps  # and so has v |v|
    if kind == "damper":  # and the ramp along which it sets in
        ends = (parameters["start"], parameters["start"] + parameters["width"])
        corner |= min(abs(q - end) for end in ends) < 2 * eps
    if not corner:
        np.testing.assert_allclose(by[[3, 4, 5]], [first[0][1], first[0][2], first[1][2]], atol=1e-4 * scale)


@each_law
@given(q=positions)
def test_a_spring_gives_back_its_energy(joint, kind, parameters, q):
    law, eps = row(kind, parameters), 1e-6
    slope = (law_energy(*law, q + eps) - law_energy(*law, q - eps)) / (2 * eps)
    assert slope == pytest.approx(force(law, q, 0.0)[0], abs=1e-4)


@each_law
@given(q=positions, v=speeds)
def test_damping_only_takes(joint, kind, parameters, q, v):
    law = row(kind, parameters)
    assert (force(law, q, v)[0] - force(law, q, 0.0)[0]) * v >= -1e-12


def test_a_dead_band_is_loose_inside_and_stiff_outside():
    law = row(
        "dead band", {"stiffness": 5e3, "rest": 0.1, "half_width": 0.02, "rounding": 0.002, "damping": 9.0}
    )
    assert not force(law, 0.1, 3.0)[:3].any() and not force(law, 0.117, -3.0)[:3].any()
    np.testing.assert_allclose(force(law, 0.15, 0.0)[:2], [5e3 * 0.03, 5e3], rtol=1e-12)
    np.testing.assert_allclose(force(law, 0.05, 0.0)[:2], [-5e3 * 0.03, 5e3], rtol=1e-12)


@given(q=positions, v=speeds, sense=st.sampled_from([-1.0, 1.0]))
def test_a_stop_pushes_one_way_only(q, v, sense):
    law = row("stop", {"stiffness": 400.0, "at": 0.05, "sense": sense, "rounding": 0.01, "damping": 0.5})
    taken = force(law, q, v)[0]
    assert sense * taken >= 0
    if sense * (q - 0.05) < -0.01:
        assert taken == 0


def test_a_damper_resists_more_in_one_direction_and_towards_its_end():
    law = row(
        "damper",
        {"positive": 9.0, "negative": 2.0, "rounding": 0.05, "start": 0.0, "width": 0.1, "factor": 2.0},
    )
    before, after = force(law, -0.1, 3.0)[0], force(law, 0.2, 3.0)[0]
    assert before == pytest.approx(9.0 * 3.0, rel=0.01) and after == pytest.approx(3 * before)
    assert force(law, -0.1, -3.0)[0] == pytest.approx(-2.0 * 3.0, rel=0.01)


# --- In a model ------------------------------------------------------------------------------------------


def sprung():
    """The hopper with MuJoCo's own springs, polynomial where this version has them."""
    spec = mujoco.MjSpec.from_string(HOPPER)
    hip, leg = spec.joint("hip"), spec.joint("leg")
    hip.springref, leg.springref = 0.05, -0.02
    if hasattr(spec.compile(), "jnt_stiffnesspoly"):
        hip.stiffness, hip.damping = [40.0, 300.0, 2000.0], [3.0, 0.5, 0.2]
        leg.stiffness, leg.damping = [5e3, 0.0, 0.0], [20.0, 0.0, 0.0]
    else:
        hip.stiffness, hip.damping, leg.stiffness, leg.damping = 40.0, 3.0, 5e3, 20.0
    return spec.compile()


def test_mujoco_s_own_springs_are_its_own():
    mj = sprung()
    data, rng = mujoco.MjData(mj), np.random.default_rng(0)
    kinds = laws_of(mj).kind.tolist()
    assert kinds.count(LINEAR) + kinds.count(POLYNOMIAL) == len(kinds) == 3
    for _ in range(20):
        q, v, a = 0.2 * rng.normal(size=(3, mj.nv)) * np.array([[1], [5], [30]])
        q[2] = 1.0  # off the ground
        data.qpos[:], data.qvel[:], data.qacc[:] = q, v, a
        mujoco.mj_inverse(mj, data)
        tau = required(tree_of(mj), external(mj, OUTSIDE), q[None], v[None], a[None]).tau[0]
        np.testing.assert_allclose(tau, data.qfrc_inverse, atol=1e-9)


def test_a_model_keeps_its_laws_in_its_file():
    mj = compiled(with_laws(HOPPER))
    mine = written_laws(mj)
    assert [mj.joint(int(i)).name for i in mine.joint] == [joint for joint, _, _ in PASSIVE]
    assert [KINDS[int(k)] for k in mine.kind] == [kind for _, kind, _ in PASSIVE]
    for said, (_, kind, parameters) in zip(mine.parameter, PASSIVE, strict=True):
        np.testing.assert_allclose(said, row(kind, parameters)[1])
    assert len(laws_of(mj).joint) == len(laws_of(compiled(HOPPER)).joint) + len(PASSIVE)


@pytest.mark.parametrize("law", ["hip 0", "nowhere 0"])
@pytest.mark.parametrize("data", ["0", "99 1 2 3", "0.5 1 2 3", "-1 1 2 3", "0 1 2 3 4"])
def test_what_write_law_did_not_write_is_refused(law, data):
    note = f'<custom><numeric name="passive_law {law}" data="{data}"/></custom>'
    mj = compiled(HOPPER.replace("<worldbody>", f"{note}<worldbody>"))
    with pytest.raises(ModelError, match=f"passive_law {law}: it is not a passive law"):
        written_laws(mj)


def test_the_simulator_replays_what_the_dynamics_ask_for():
    """MuJoCo's forward dynamics under the moments that inverse dynamics gave: the same acceleration."""
    xml = with_laws(HOPPER)
    mj = compiled(xml)
    driven = [mj.joint(i).name for i in range(mj.nv)]
    simulator, rng = Simulator(xml, OUTSIDE, driven), np.random.default_rng(1)
    tree, around = tree_of(mj), external(mj, OUTSIDE)
    for _ in range(10):
        q, v, a = 0.1 * rng.normal(size=(3, mj.nv)) * np.array([[1], [10], [50]])
        q[2] = -0.02 * rng.uniform()
        tau = required(tree, around, q[None], v[None], a[None]).tau[0]
        simulator.set_state(q, v)
        simulator.forward(tau, np.zeros(0))
        np.testing.assert_allclose(simulator.data.qacc, a, atol=1e-6)


def test_energy_is_kept_or_lost_joint_by_joint():
    mj = compiled(with_laws(HOPPER))
    laws, rng = laws_of(mj), np.random.default_rng(2)
    q, v = 0.1 * rng.normal(size=(2, 30, mj.nv))
    energy, loss = np.zeros_like(q), np.zeros_like(q)
    energy_and_loss(laws, q, v, energy, loss)
    spring = mj.joint("spring").id
    np.testing.assert_allclose(energy[:, spring], 0.5 * 9000 * q[:, spring] ** 2)
    np.testing.assert_allclose(loss[:, spring], 15 * v[:, spring] ** 2)
    assert {DEAD_BAND, STOP} <= set(laws.kind.tolist()) and (energy >= 0).all()


@pytest.mark.parametrize(
    ("joint", "kind", "parameters", "text"),
    [
        ("hip", "ded band", {}, "did you mean 'dead band'"),
        ("hips", "linear", {"stiffness": 1.0, "rest": 0.0, "damping": 0.0}, "did you mean 'hip'"),
        ("hip", "linear", {"stiffness": 1.0, "rest": 0.0}, "takes stiffness, rest, damping"),
        ("hip", "linear", {"stiffness": 1.0, "rest": 0.0, "damping": 0.0, "gap": 1.0}, "takes stiffness"),
    ],
)
def test_a_wrong_law_is_one_sentence(joint, kind, parameters, text):
    with pytest.raises(InputError, match=text):
        write_law(mujoco.MjSpec.from_string(HOPPER), joint, kind, **parameters)


# --- What is not modelled --------------------------------------------------------------------------------

CORD = '</worldbody><tendon><fixed name="cord" {}><joint joint="hip" coef="1"/></fixed></tendon>'
LEFT_OUT = {
    "the ball joint 'ball'": (
        '<body name="thigh">',
        '<body><joint name="ball" type="ball"/><geom size=".1"/></body><body name="thigh">',
    ),
    "the dry friction of joint 'hip'": ('name="hip"', 'name="hip" frictionloss="2"'),
    "the connect constraint 'tie'": (
        "</worldbody>",
        '</worldbody><equality><connect name="tie" body1="toe" body2="base" anchor="0 0 0"/></equality>',
    ),
    "the gravity compensation of body 'toe'": ('<body name="toe"', '<body gravcomp="1" name="toe"'),
    "the drag of a fluid": ("<option>", '<option density="1.2">'),
    "the limit of tendon 'cord'": (
        "</worldbody>",
        CORD.format('limited="true" range="0 1"'),
    ),
    "the damping of tendon 'cord'": (
        "</worldbody>",
        CORD.format('damping="3"'),
    ),
    "a spring that pushes where it is short, tendon 'cord'": (
        "</worldbody>",
        CORD.format('stiffness="3" springlength=".1"'),
    ),
    "actuator 'servo'": (
        "</worldbody>",
        '</worldbody><actuator><position name="servo" joint="hip" kp="10"/></actuator>',
    ),
}


@pytest.mark.parametrize("what", LEFT_OUT)
def test_what_is_not_modelled_is_refused_by_name(what):
    old, new = LEFT_OUT[what]
    assert old in HOPPER
    with pytest.raises(ModelError, match=what) as caught:
        tree_of(compiled(HOPPER.replace(old, new, 1)))
    assert "not modelled" in str(caught.value)
