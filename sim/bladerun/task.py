"""What the runner is asked to do.

Takes numbers from a runner's file, a study or a command line; gives a `Task` that has checked them. A new
field is added here, with its range, unit and what it is, and used in `environment.py` or wherever it acts;
files, studies, commands and strides read the fields of this class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from bladerun._lib.data_files import toml
from bladerun._lib.kinds import Number, Word, check
from bladerun.errors import InputError

HOLDS = ("waist", "chest", "hands")
GROUNDS = tuple(toml("ground.toml")["kind"])
TIGHTEST_M = 12.0  # of a bend


def _within(low: float, high: float, unit: str) -> Number:
    return Number(low, high, unit, words=f"a number from {low} to {high} {unit}")


@dataclass(frozen=True)
class Task:
    """Steady running, forward.

    Parameters
    ----------
    speed_m_s
        Speed along the ground; the reference curves cover 2.5 to 4.5 and are extended a little beyond.
    slope_percent
        Rise of the ground over the horizontal distance, uphill positive. Acts as tilted gravity on a runner
        whose x axis runs along the ground and whose z axis stands on it.
    horizontal_force_bw
        Constant pull along the ground, forward positive: a band, a sled, a therapist's hands, or a belt that
        the runner has to drive, are negative.
    force_at
        Where it pulls: the centre of mass of the pelvis, the middle of the chest, or both hands alike.
    cadence_spm
        Steps a minute, as by a metronome; where the runner would have it if left out.
    cadence_percent
        The same in percent of what this runner would choose, which is then solved for first.
    lean_deg
        Forward lean of the trunk from the vertical; as the runner would have it if left out.
    ground
        What is under the feet (models/ground.toml).
    ground_kn_m
        Stiffness of the ground under a whole sole, in place of that of its kind.
    ground_loss
        Share of the energy put into the ground that it does not give back, in place of that of its kind.
    bend_radius_m
        Of a bend run steadily, centre on the left positive; straight ahead if left out or 0.
    landing_ahead_m
        How far ahead of the pelvis' origin the middle of a blade's sole lands; where the runner would land
        by themselves if left out.

    Raises
    ------
    InputError
        Outside these ranges, for what is no number, and for two fields that say the same.
    """

    speed_m_s: Annotated[float, _within(2.0, 5.0, "m/s")]
    slope_percent: Annotated[float, _within(-20.0, 20.0, "%")] = 0.0
    horizontal_force_bw: Annotated[float, _within(-0.2, 0.2, "body weights")] = 0.0
    force_at: Annotated[str, Word(HOLDS, listed=True)] = "waist"
    cadence_spm: Annotated[float, _within(120.0, 240.0, "steps a minute")] | None = None
    cadence_percent: Annotated[float, _within(80.0, 120.0, "%")] | None = None
    lean_deg: Annotated[float, _within(-10.0, 30.0, "deg")] | None = None
    ground: Annotated[str, Word(GROUNDS, listed=True)] = "road"
    ground_kn_m: Annotated[float, _within(20.0, 2000.0, "kN/m")] | None = None
    ground_loss: Annotated[float, _within(0.0, 0.95, "of the energy put in")] | None = None
    bend_radius_m: Annotated[float, _within(-200.0, 200.0, "m")] | None = None
    landing_ahead_m: Annotated[float, _within(-0.2, 0.6, "m")] | None = None

    def __post_init__(self) -> None:
        check(self)
        if self.bend_radius_m == 0:  # as a study says it beside bends: a straight is no bend
            object.__setattr__(self, "bend_radius_m", None)
        if self.cadence_spm is not None and self.cadence_percent is not None:
            raise InputError("cadence_spm says it already; give one of the two", key="cadence_percent")
        if self.bend_radius_m is not None and abs(self.bend_radius_m) < TIGHTEST_M:
            raise InputError(
                f"{self.bend_radius_m:g} is not allowed; {TIGHTEST_M:g} to 200 m to the left, "
                f"-200 to -{TIGHTEST_M:g} m to the right, 0 straight ahead",
                key="bend_radius_m",
            )
        if self.ground_loss and self.ground_kn_m is None and not self._layer["stiffness_kn_m"]:
            raise InputError(
                f"a {self.ground} that does not give loses nothing; give ground_kn_m too", key="ground_loss"
            )

    @property
    def _layer(self) -> dict[str, float]:
        return toml("ground.toml")["kind"][self.ground]

    @property
    def layer(self) -> tuple[float, float]:
        """Stiffness (kN/m under a whole sole; 0 = it does not give) and loss (share) of what is underfoot."""
        own = self._layer
        stiffness = own["stiffness_kn_m"] if self.ground_kn_m is None else self.ground_kn_m
        return float(stiffness), float(own["loss"] if self.ground_loss is None else self.ground_loss)

    @property
    def conditions(self) -> tuple[str, ...]:
        """What is asked beside steady running on a level road, in words; empty where nothing is."""
        words = []
        if slope := self.slope_percent:
            words.append(f"{abs(slope):g} % {'uphill' if slope > 0 else 'downhill'}")
        if pull := self.horizontal_force_bw:
            at = "" if self.force_at == "waist" else f" at the {self.force_at}"
            words.append(f"pulled {'forward' if pull > 0 else 'backward'} by {abs(pull):g} body weights{at}")
        if self.cadence_spm is not None:
            words.append(f"{self.cadence_spm:g} steps a minute")
        if self.cadence_percent is not None:
            words.append(f"{self.cadence_percent:g} % of the cadence of choice")
        if self.lean_deg is not None:
            words.append(f"trunk {self.lean_deg:g} deg forward")
        if self.ground != "road" or self.ground_kn_m is not None or self.ground_loss is not None:
            stiffness, loss = self.layer
            words.append(f"{self.ground} ({stiffness:g} kN/m, {100 * loss:g} % lost)")
        if self.bend_radius_m is not None:
            side = "left" if self.bend_radius_m > 0 else "right"
            words.append(f"a bend to the {side} of {abs(self.bend_radius_m):g} m")
        if self.landing_ahead_m is not None:
            words.append(f"landing {self.landing_ahead_m:g} m ahead of the pelvis")
        return tuple(words)

    def __str__(self) -> str:
        """In words: "3.3 m/s, 5 % uphill, pulled backward by 0.04 body weights"."""
        level = () if self.slope_percent else ("on level ground",)
        return ", ".join((f"{self.speed_m_s:g} m/s", *level, *self.conditions))

    @property
    def untested(self) -> str:
        """What of it was not yet validated against measurements on blades; empty where nothing is."""
        usual = Task(self.speed_m_s, landing_ahead_m=self.landing_ahead_m)
        if self != usual:
            return "Running so is held against able-bodied measurements only, none of them on blades."
        return ""
