"""Moments in hip, knee, ankle, socket and lumbar spine, and how far they leave the able-bodied band.

Takes the legs of a stride; gives rows of the table of results.
"""

from bladerun.body.reference_gait import band
from bladerun.gait._both import Both
from bladerun.gait.events import Leg, joint_curve
from bladerun.gait.registry import FUKUCHI, NEVER, OWN, TOE_OUT, Row, each_leg, whole_stride
from bladerun.stride.dynamics.passive import joint_force

DIRECTIONS = {  # direction of a moment: joint, sign
    "hip_extension": ("hip_flexion", -1),
    "hip_abduction": ("hip_adduction", -1),
    "hip_internal_rotation": ("hip_rotation", 1),
    "hip_external_rotation": ("hip_rotation", -1),
    "knee_extension": ("knee_flexion", -1),
    "ankle_plantarflexion": ("ankle_dorsiflexion", -1),
}
_BANDS = {  # joint: curve of able-bodied running in the same sense
    "hip_flexion": "hip_flexion_moment",
    "hip_adduction": "hip_adduction_moment",
    "hip_rotation": "hip_internal_rotation_moment",
    "knee_flexion": "knee_flexion_moment",
}


@each_leg(
    Row(
        "hip_torque_flexion_peak_nm_kg",
        "hip torque, flexion-extension",
        "Nm/kg",
        "greatest size of the moment about the flexion axis in contact",
        OWN,
    ),
    Row(
        "hip_torque_adduction_peak_nm_kg",
        "hip torque, ab-/adduction",
        "Nm/kg",
        "greatest size of the moment about the adduction axis in contact",
        OWN,
    ),
    Row(
        "hip_torque_rotation_peak_nm_kg",
        "hip torque, rotation",
        "Nm/kg",
        "greatest size of the moment about the long axis of the thigh in contact",
        OWN,
        TOE_OUT,
    ),
    Row(
        "hip_extension_torque_peak_nm_kg",
        "hip extension torque",
        "Nm/kg",
        "greatest extension moment in contact, extension positive",
        "Heiderscheit 2011",
    ),
    Row(
        "hip_abduction_torque_peak_nm_kg",
        "hip abduction torque",
        "Nm/kg",
        "greatest abduction moment in contact, abduction positive",
        "Heiderscheit 2011",
    ),
    Row(
        "hip_internal_rotation_torque_peak_nm_kg",
        "hip internal rotation torque",
        "Nm/kg",
        "greatest internal rotation moment in contact",
        "Heiderscheit 2011",
        TOE_OUT,
    ),
    Row(
        "hip_external_rotation_torque_peak_nm_kg",
        "hip external rotation torque",
        "Nm/kg",
        "greatest external rotation moment in contact, external positive",
        "Heiderscheit 2011",
        TOE_OUT,
    ),
    Row(
        "hip_torque_flexion_impulse_nm_s_kg",
        "hip torque impulse, flexion-extension",
        "Nm s/kg",
        "size of the moment about the flexion axis, integrated over contact",
        OWN,
    ),
    Row(
        "hip_torque_adduction_impulse_nm_s_kg",
        "hip torque impulse, ab-/adduction",
        "Nm s/kg",
        "size of the moment about the adduction axis, integrated over contact",
        OWN,
    ),
    Row(
        "hip_torque_rotation_impulse_nm_s_kg",
        "hip torque impulse, rotation",
        "Nm s/kg",
        "size of the moment about the long axis of the thigh, integrated over contact",
        OWN,
        TOE_OUT,
    ),
    Row(
        "knee_extension_torque_peak_nm_kg",
        "knee extension torque",
        "Nm/kg",
        "greatest knee extension moment in contact, extension positive",
        "Heiderscheit 2011",
    ),
    Row(
        "ankle_plantarflexion_torque_peak_nm_kg",
        "ankle push-off torque",
        "Nm/kg",
        "greatest plantarflexion moment in contact, plantarflexion positive; intact leg only",
        FUKUCHI,
    ),
)
def joint_torques(leg: Leg, _: Both) -> dict[str, float]:
    """Hip, knee and ankle moments in contact per body mass."""
    down, up, mass = leg.down, leg.up, leg.mass_kg
    rows = {}
    for axis in ("flexion", "adduction", "rotation"):
        moment = leg.joint("tau", f"hip_{axis}")
        rows[f"hip_torque_{axis}_peak_nm_kg"] = moment.magnitude(down, up) / mass
        size = moment.positive(down, up) - moment.negative(down, up)
        rows[f"hip_torque_{axis}_impulse_nm_s_kg"] = size / mass
    for direction, (joint, sign) in DIRECTIONS.items():
        if leg.drives(joint):
            moment = leg.curve(sign * leg.joint("tau", joint).values)
            rows[f"{direction}_torque_peak_nm_kg"] = max(moment.peak(down, up)[1], 0.0) / mass
    return rows


@each_leg(
    Row(
        "socket_axial_torque_peak_nm",
        "twist in the socket",
        "Nm",
        "greatest size of the torque between residual limb and socket about the limb's long axis",
        OWN,
        NEVER,
    ),
    Row(
        "socket_axial_torque_peak_nm_kg",
        "twist in the socket per mass",
        "Nm/kg",
        "socket_axial_torque_peak_nm / body mass",
        OWN,
        NEVER,
    ),
    Row(
        "socket_axial_torque_impulse_nm_s",
        "twist in the socket, impulse",
        "Nm s",
        "size of the torque between residual limb and socket about the limb's long axis, integrated over "
        "contact",
        OWN,
        NEVER,
    ),
    needs=("contact", "blade"),
)
def socket_torque(leg: Leg, _: Both) -> dict[str, float]:
    """Of the socket's spring and damper about the limb's long axis."""
    q, v = leg.joint("q", "socket_rotation").values, leg.joint("v", "socket_rotation").values
    twist = leg.curve(joint_force(leg.model, f"socket_rotation_{leg.suffix}", q, v))
    peak_nm = twist.magnitude(leg.down, leg.up)
    return {
        "socket_axial_torque_peak_nm": peak_nm,
        "socket_axial_torque_peak_nm_kg": peak_nm / leg.mass_kg,
        "socket_axial_torque_impulse_nm_s": twist.positive(leg.down, leg.up)
        - twist.negative(leg.down, leg.up),
    }


def _beyond(joint: str, title: str) -> Row:
    definition = (
        "greatest amount by which the moment leaves the range of able-bodied ones in contact, in either "
        "sense; that range is from the least of mean - SD to the greatest of mean + SD over contact at this "
        "speed"
    )
    key = f"{joint}_torque_excess_nm_kg"
    return Row(key, f"{title}, beyond able-bodied", "Nm/kg", definition, FUKUCHI, TOE_OUT)


@each_leg(
    _beyond("hip_flexion", "hip torque, flexion-extension"),
    _beyond("hip_adduction", "hip torque, ab-/adduction"),
    _beyond("hip_rotation", "hip torque, rotation"),
    _beyond("knee_flexion", "knee torque"),
)
def excess(leg: Leg, _: Both) -> dict[str, float]:
    """How far moments in contact leave the range of able-bodied ones, in either sense."""
    rows = {}
    for joint, curve in _BANDS.items():
        if not leg.drives(joint):
            continue
        percent, mean, sd = band(curve, leg.speed)
        stance = percent <= 100 * (leg.up - leg.down) / leg.period
        moment = leg.joint("tau", joint)
        above = moment.peak(leg.down, leg.up)[1] / leg.mass_kg - (mean + sd)[stance].max()
        below = (mean - sd)[stance].min() - moment.trough(leg.down, leg.up)[1] / leg.mass_kg
        rows[f"{joint}_torque_excess_nm_kg"] = max(float(above), float(below), 0.0)
    return rows


@whole_stride(
    Row(
        "lumbar_extension_torque_peak_nm_kg",
        "lumbar torque, flexion-extension",
        "Nm/kg",
        "greatest size of the lumbar moment about the extension axis",
        OWN,
        NEVER,
    ),
    Row(
        "lumbar_bending_torque_peak_nm_kg",
        "lumbar torque, side bending",
        "Nm/kg",
        "greatest size of the lumbar moment about the bending axis",
        OWN,
        NEVER,
    ),
    Row(
        "lumbar_rotation_torque_peak_nm_kg",
        "lumbar torque, rotation",
        "Nm/kg",
        "greatest size of the lumbar moment about the long axis",
        OWN,
        NEVER,
    ),
)
def lumbar_torques(both: Both) -> dict[str, float]:
    """About the three axes of the lumbar joint, over the whole stride."""
    rows = {}
    for name in ("extension", "bending", "rotation"):
        moment = joint_curve(both.stride, "tau", f"lumbar_{name}")
        rows[f"lumbar_{name}_torque_peak_nm_kg"] = moment.magnitude(0, both.left.period) / both.left.mass_kg
    return rows
