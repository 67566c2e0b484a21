"""How loose a socket gets when the limb in it loses volume, and what socks give back.

Takes a volume lost, socks and a runner; gives the `Slack`: how far the limb may move before the socket holds
it. Figures: models/body.toml [socket_fit].

A limb of radius r that loses the fraction f of its volume leaves a gap of f r / 2 all around; a sock fills
its thickness. A cone sinks by gap / taper before it is held again, and a limb whose cross-section is that of
a rounded triangle, r (1 + e cos 3 angle), turns by gap / (3 e r) either way.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bladerun._lib.data_files import toml
from bladerun.body.runner import Amputation, Runner


class Slack(NamedTuple):
    """gap_m: all around; sink_m: how far the socket comes up the limb before it carries; turn_rad: how far it
    turns either way."""

    gap_m: float
    sink_m: float
    turn_rad: float


def slack(amputation: Amputation, runner: Runner) -> Slack:
    """That of one leg, `Amputation.of`; 0 where socks fill all that was lost."""
    facts = toml("body.toml")["socket_fit"]
    girth = math.sqrt(runner.mass_kg / facts["at_kg"] / (runner.height_m / facts["at_m"]))
    radius = facts["radius_m"] * girth
    lost = amputation.volume_loss_percent / 100 * radius / 2
    gap = max(0.0, lost - sock_m(amputation.socks_ply))
    return Slack(gap, gap / facts["taper"], gap / (3 * facts["off_round"] * radius))


def sock_m(ply: float) -> float:
    """Thickness of a sock under load, between the plies that were measured."""
    facts = toml("body.toml")["socket_fit"]
    return 1e-3 * float(np.interp(ply, facts["sock_ply"], facts["sock_mm"]))
