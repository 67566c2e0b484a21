"""The socket on the limb: how far it slides and turns, and what pulls it off.

Takes the legs of a stride; gives rows of the table of results.
"""

import math

from bladerun._lib.data_files import toml
from bladerun.gait._both import Both
from bladerun.gait.events import Leg
from bladerun.gait.periodic import Periodic
from bladerun.gait.registry import NEVER, OWN, Row, each_leg
from bladerun.stride.dynamics.passive import joint_force

_GHOLIZADEH = "Gholizadeh 2020, doi 10.33137/cpoj.v2i2.32941"


@each_leg(
    Row(
        "socket_pistoning_mm",
        "pistoning in the socket",
        "mm",
        "how far the limb moves along the socket in a stride, between hanging lowest and pressed deepest",
        OWN,
        NEVER,
    ),
    Row(
        "socket_rotation_deg",
        "rotation in the socket",
        "deg",
        "how far the socket turns on the limb about its long axis in a stride, to and fro",
        OWN,
        NEVER,
    ),
    Row(
        "socket_turn_loaded_deg",
        "turn of the socket under load",
        "deg",
        "how far the socket, and with it the toe, is turned on the limb at greatest compression; positive "
        "inward. Where the toe then points: foot_progression_deg",
        OWN,
        NEVER,
    ),
    Row(
        "suspension_pull_n",
        "pull on the suspension",
        "N",
        "greatest force along the limb that pulls the prosthesis off it in the stride",
        OWN,
        NEVER,
    ),
    Row(
        "suspension_share_percent",
        "use of the suspension",
        "%",
        "that pull over what a liner without suction was found to hold, 401 N; above 100 it would let go",
        _GHOLIZADEH,
        NEVER,
    ),
    needs=("contact", "blade", "solved"),
)
def socket(leg: Leg, _: Both) -> dict[str, float]:
    """Of the joints between limb and socket and the laws that they obey."""
    along, turn = leg.joint("q", "socket_pistoning"), leg.joint("q", "socket_rotation")
    speed = leg.joint("v", "socket_pistoning").values
    up = leg.curve(joint_force(leg.model, f"socket_pistoning_{leg.suffix}", along.values, speed))
    most = max(up.peak(leg.down, leg.down + leg.period)[1], 0.0)
    return {
        "socket_pistoning_mm": 1e3 * _range(leg, along),
        "socket_rotation_deg": math.degrees(_range(leg, turn)),
        "socket_turn_loaded_deg": math.degrees(float(turn(leg.deepest))),
        "suspension_pull_n": most,
        "suspension_share_percent": 100 * most / toml("outcomes.toml")["suspension"]["holds_n"],
    }


def _bending(way: str) -> tuple[Row, Row]:
    return (
        Row(
            f"socket_{way}_deg",
            f"{way} in the socket",
            "deg",
            f"how far the socket tilts on the limb in {way} in a stride, to and fro; adduction: a thigh's",
            OWN,
            NEVER,
        ),
        Row(
            f"socket_{way}_torque_peak_nm_kg",
            f"{way} moment in the socket per mass",
            "Nm/kg",
            f"greatest size in contact of the moment between residual limb and socket about its {way} axis",
            OWN,
            NEVER,
        ),
    )


@each_leg(*_bending("flexion"), *_bending("adduction"), needs=("contact", "blade", "solved"))
def socket_bending(leg: Leg, _: Both) -> dict[str, float]:
    """Of the springs across the limb; the one about it is `_torques.socket_torque`'s."""
    rows = {}
    for way in ("flexion", "adduction"):
        name = f"socket_{way}"
        if not leg.has_joint(name):
            continue
        tilt, speed = leg.joint("q", name), leg.joint("v", name).values
        moment = leg.curve(joint_force(leg.model, f"{name}_{leg.suffix}", tilt.values, speed))
        rows[f"{name}_deg"] = math.degrees(_range(leg, tilt))
        rows[f"{name}_torque_peak_nm_kg"] = moment.magnitude(leg.down, leg.up) / leg.mass_kg
    return rows


def _range(leg: Leg, curve: Periodic) -> float:
    """Greatest less least value in the stride."""
    end = leg.down + leg.period
    return curve.peak(leg.down, end)[1] - curve.trough(leg.down, end)[1]
