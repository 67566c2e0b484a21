"""Metabolic power of one stride: every muscle, every motor, and rest.

Takes a Stride dataset with muscles; gives watts over time. Muscles follow Bhargava, Pandy & Anderson 2004
(doi 10.1016/S0021-9290(03)00239-2); trunk, arms, toes and reserves, moved by motors, cost their work over an
efficiency. Constants and sources: `models/metabolic.toml`, `models/muscles.toml`.
"""

from __future__ import annotations

from typing import NamedTuple

import mujoco
import numpy as np
import xarray as xr

from bladerun._lib.data_files import toml
from bladerun.dataset.model_text import model_of
from bladerun.dataset.reading import muscle_driven


class Metabolic(NamedTuple):
    """Where the power goes (W). Work is in it: what a muscle gives to the body and what it turns to heat."""

    muscle: np.ndarray  # (time, muscle), >= 0
    motor: dict[str, np.ndarray]  # (time,) by joint, >= 0: "lumbar", "shoulder_r", ..., "knee_l"
    rest: float  # of the whole body, standing


def metabolic(stride: xr.Dataset) -> Metabolic:
    """Metabolic power of a stride that has muscles."""
    muscle = muscle_power(
        excitation=stride.excitation.values.clip(0, 1),  # the solver's bounds are rounded
        fibre_length=stride.fibre_length.values,
        velocity_m_s=stride.fibre_velocity.values * stride.muscle_l0.values,
        active_n=stride.fibre_force_active.values,
        isometric_n=stride.activation.values * fully_active_n(stride, 0 * stride.muscle_velocity.values),
        mass_kg=muscle_mass_kg(stride.muscle_f0.values, stride.muscle_l0.values),
        fast_twitch=np.array([_fast_twitch(name) for name in stride.muscle.values]),
    )
    power = motor_moment(stride) * stride.v.values
    joint = np.array([joint_of(name) for name in stride.joint.values])
    motor = {name: motor_power(power[:, joint == name].sum(axis=1)) for name in dict.fromkeys(joint)}
    return Metabolic(muscle, motor, toml("metabolic.toml")["rest"]["power_w_kg"] * stride.attrs["mass_kg"])


def muscle_power(
    *, excitation, fibre_length, velocity_m_s, active_n, isometric_n, mass_kg, fast_twitch
) -> np.ndarray:
    """Metabolic power (W, >= 0) of muscles; every argument broadcasts to (time, muscle).

    E = A + M + S + W. Activation heat A = m (a_s s + a_f f) and maintenance heat M = m l(L) (m_s s + m_f f),
    with s = (1 - k) sin(pi u / 2) of slow and f = k (1 - cos(pi u / 2)) of fast fibres; shortening heat
    S = -(0.16 F_iso + 0.18 F) v, in stretch -0.157 F v; work W = -F v. A muscle takes nothing back: E >= 0
    (Uchida 2016, doi 10.1371/journal.pone.0150378).

    excitation u (0..1); fibre_length L in optimal lengths; velocity_m_s v, lengthening positive; active_n F
    (N), without the passive part; isometric_n F_iso (N), at the same activation and length with v = 0;
    fast_twitch k, fraction of fast fibres.
    """
    c = toml("metabolic.toml")["muscle"]
    slow = (1 - fast_twitch) * np.sin(np.pi / 2 * excitation)
    fast = fast_twitch * (1 - np.cos(np.pi / 2 * excitation))
    length = np.interp(fibre_length, c["maintenance_length"], c["maintenance_factor"])
    activation = c["activation_slow_w_kg"] * slow + c["activation_fast_w_kg"] * fast
    maintenance = length * (c["maintenance_slow_w_kg"] * slow + c["maintenance_fast_w_kg"] * fast)
    in_shortening = c["shortening_isometric"] * isometric_n + c["shortening_force"] * active_n
    share = np.where(velocity_m_s <= 0, in_shortening, c["lengthening_force"] * active_n)
    return np.maximum(mass_kg * (activation + maintenance) - (share + active_n) * velocity_m_s, 0.0)


def motor_power(power_w) -> np.ndarray:
    """Metabolic power (W, >= 0) of a joint's mechanical power (W) over the efficiency of either sign.

    The power is of all its axes together: muscles cross all of them and pass power on from one to another.
    """
    c = toml("metabolic.toml")["motor"]
    return np.maximum(power_w / c["efficiency_positive"], power_w / c["efficiency_negative"])


def muscle_mass_kg(f0_n: np.ndarray, l0_m: np.ndarray) -> np.ndarray:
    """(muscle,) density x greatest isometric force / specific tension x optimal fibre length."""
    tissue = toml("muscles.toml")["tissue"]
    return tissue["density_kg_m3"] * f0_n / tissue["specific_tension_n_m2"] * l0_m


def motor_moment(stride: xr.Dataset) -> np.ndarray:
    """(time, joint) moment (Nm) of motors: the reserve where muscles drive, else all of it; 0 without one."""
    driven = np.isin(stride.joint_role.values, ("muscle", "motor"))
    return np.where(muscle_driven(stride), stride.reserve.values, stride.tau.values) * driven


def joint_of(axis: str) -> str:
    """The joint of an axis: "lumbar_bending" -> "lumbar", "hip_rotation_r" -> "hip_r"."""
    word, *_, last = axis.split("_")
    return f"{word}_{last}" if last in ("r", "l") else word


def fully_active_n(stride: xr.Dataset, velocity_m_s: np.ndarray) -> np.ndarray:
    """(time, muscle) force (N) of fibres fully active, at the stride's lengths and these velocities.

    velocity_m_s (time, muscle): of the path, lengthening positive.
    """
    model, force = model_of(stride), np.empty(stride.muscle_length.shape)
    for m, name in enumerate(stride.muscle.values):
        a = model.actuator(name).id
        limits, acc0, prm = (
            model.actuator_lengthrange[a],
            model.actuator_acc0[a],
            model.actuator_gainprm[a, :9],
        )
        moving = zip(stride.muscle_length.values[:, m], velocity_m_s[:, m], strict=True)
        force[:, m] = [-mujoco.mju_muscleGain(*at, limits, acc0, prm) for at in moving]
    return force


def _fast_twitch(muscle: str) -> float:
    """Fraction of fast fibres of a muscle, given with its suffix."""
    return toml("muscles.toml")["muscle"][muscle[:-2]]["fast_twitch"]["fraction"]
