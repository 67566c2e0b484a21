"""A running blade as an elastic chain in MuJoCo.

Takes the tables of a blade's file (`catalog`); gives stiffness by category, the recommended category, and
`attach`, which adds it to a body.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import mujoco
import numpy as np

from bladerun._lib.data_files import toml
from bladerun._lib.kinds import Number
from bladerun._lib.table import frozen
from bladerun.blade import _laminate
from bladerun.blade._laminate import SEGMENTS
from bladerun.blade.chain import METAL, Beam, Chain, add_chain
from bladerun.blade.check import IMPACTS, check
from bladerun.errors import InputError, nearest

STIFFNESS = Number(*toml("body.toml")["fitting"]["stiffness_kn_m"], unit="kN/m")  # that a blade can have


@dataclass(frozen=True)
class Blade:
    """A running blade. Its frame: origin at the clamp, x forward, z up along the tab; the sole below.

    Parameters
    ----------
    name
        What it is called in inputs and tables.
    facts
        Its file's tables, checked and made unchangeable; they are what the blade is, wherever it is sent.

    Raises
    ------
    InputError
        For a figure that is missing or not possible.
    """

    name: str
    facts: Mapping[str, Any] = field(repr=False)

    def __post_init__(self):
        if not isinstance(self.name, str) or not isinstance(self.facts, Mapping):
            raise InputError("not the name of a blade, or one with name and facts", key="blade")
        object.__setattr__(self, "facts", frozen(self.facts))
        check(self.facts)

    @classmethod
    def of_json(cls, table: Any) -> "Blade":
        """The blade of which `asdict` and JSON made this table; InputError where it is none."""
        if not isinstance(table, Mapping) or set(table) != {"name", "facts"}:
            raise InputError(f"{table!r} is not the name of a blade", key="blade")
        return cls(**table)

    @property
    def title(self) -> str:
        return self.facts["title"]

    @property
    def shape(self) -> str:
        """``J`` or ``C``."""
        return self.facts["shape"]

    @property
    def mass_kg(self) -> float:
        """Mass of the whole laminate with its sole; a C's pylon comes on top."""
        return self.value("mass", "mass_kg")

    @property
    def categories(self) -> tuple[float, ...]:
        return self.facts["stiffness"]["categories"]

    @property
    def points_mm(self) -> tuple[tuple[float, float], ...]:
        """The unloaded laminate's line, x forward and y up."""
        return self.facts["profile"]["points_mm"]

    @property
    def allowable_strain(self) -> float:
        return self.value("laminate", "allowable_strain")

    @property
    def clamp_to_ground_range_m(self) -> tuple[float, float]:
        """Least and greatest height of the clamp over the ground: J along its tab, C by its pylon."""
        low, high = self.value("height", "range_m")
        return low, high

    @property
    def rating_height_m(self) -> float:
        """Clamp over the ground in the test that rates the categories."""
        return self.value("height", "rating_m")

    @property
    def rating_load_n(self) -> float:
        """Peak load of the test that rates the categories."""
        return self.value("stiffness", "load_n")

    def value(self, section: str, key: str) -> Any:
        """A figure of the entry without its status and source.

        Parameters
        ----------
        section, key
            Where it stands in the blade's file.
        """
        return self.facts[section][key]["value"]

    def recommended_category(self, mass_kg: float, impact: str = "high") -> int:
        """The category that the fitting chart gives for a mass.

        Parameters
        ----------
        mass_kg
            Of the runner, prostheses included.
        impact
            "low", "moderate" or "high".

        Raises
        ------
        InputError
            Outside the mass bands, for another impact, and for a blade without a chart.
        """
        if impact not in IMPACTS:
            raise InputError(f"no impact level '{impact}'; {nearest(impact, IMPACTS)}", key="impact")
        if "recommendation" not in self.facts:
            raise InputError(f"{self.name} has no categories by weight; give a number", key="category")
        table = self.facts["recommendation"]
        edges = np.array(table["band_kg"])
        band = int(np.searchsorted(edges, mass_kg, side="right")) - 1
        category = table[impact][band] if 0 <= band < len(edges) - 1 else 0
        if not category:
            top = edges[np.flatnonzero(table[impact])[-1] + 1]
            raise InputError(
                f"no category is recommended for {mass_kg:g} kg at {impact} impact, "
                f"only for {edges[0]} to under {top} kg; give a number",
                key="category",
            )
        return category

    def stiffness_n_m(self, category: float) -> tuple[float, float, bool]:
        """Nominal stiffness and its standard deviation in N/m, and whether the category is extrapolated.

        Secant at 0 deg from no load to `rating_load_n`, clamped at `rating_height_m`; linear in the category.
        """
        self.check_category(category)
        nominal = self._nominal_n_m(category)
        low, high = STIFFNESS.low, STIFFNESS.high
        if not low <= nominal / 1e3 <= high:
            raise InputError(
                f"{self.name} would have {nominal / 1e3:.3g} kN/m in category {category:g}; "
                f"{low:g} to {high:g} kN/m are possible",
                key="category",
            )
        extrapolated = not self.categories[0] <= category <= self.categories[-1]
        return nominal, nominal * self.value("stiffness", "sd_fraction"), extrapolated

    def check_category(self, category: object) -> None:
        """InputError for a category that the blade neither has nor extends to."""
        listed, steps = self.categories, self.facts["stiffness"]["extrapolated_steps"]
        low, high = listed[0] - steps, listed[-1] + steps
        if isinstance(category, bool) or not isinstance(category, int | float) or not low <= category <= high:
            raise InputError(
                f"{self.name} has no category {category!r}; {listed[0]} to {listed[-1]} are in its catalogue "
                f"and {low} to {high} are accepted as extrapolated",
                key="category",
            )

    def nearest_category(self, stiffness_kn_m: float) -> float:
        """The category whose nominal stiffness is nearest."""
        return min(self.categories, key=lambda each: abs(self._nominal_n_m(each) / 1e3 - stiffness_kn_m))

    def _nominal_n_m(self, category: float) -> float:
        steps = category - self.facts["stiffness"]["reference_category"]
        return self.value("stiffness", "at_reference_n_m") + steps * self.value(
            "stiffness", "per_category_n_m"
        )

    def measured(self, category: float, stiffness_kn_m: float) -> "Blade":
        """This blade with its law of categories moved so that one of them is as stiff as a test found it.

        Parameters
        ----------
        category
            The one that was tested.
        stiffness_kn_m
            Found in the test, as `stiffness_n_m` has it.

        Raises
        ------
        InputError
            Outside the range of models/body.toml, and for a category that the blade has not.
        """
        STIFFNESS.read(stiffness_kn_m, "stiffness_kn_m")
        self.check_category(category)
        found = {"value": 1e3 * stiffness_kn_m, "status": "measured", "source": "a test of this blade"}
        law = {**self.facts["stiffness"], "reference_category": category, "at_reference_n_m": found}
        return replace(self, facts={**self.facts, "stiffness": law})

    def thickness_m(self, category: float) -> float:
        """Greatest laminate thickness, found on the bench so that the blade has its catalogue stiffness."""
        return _laminate.thickness_m(self, float(category))

    def relaxation_s(self) -> float:
        """Joint damping over joint stiffness, found on the bench so that a stance loses `loss_fraction`."""
        return _laminate.relaxation_s(self)

    def beam(self, category: float, clamp_to_ground_m: float) -> Beam:
        """The blade's laminate in its own frame.

        Parameters
        ----------
        category
            Its stiffness category.
        clamp_to_ground_m
            Height of the clamp over the ground, unloaded.

        Raises
        ------
        InputError
            For a category or a height that the blade does not reach.
        """
        self.stiffness_n_m(category)
        low, high = self.clamp_to_ground_range_m
        if not low - 1e-9 <= clamp_to_ground_m <= high + 1e-9:
            raise InputError(
                f"the clamp of {self.name} cannot be {clamp_to_ground_m * 1e3:.0f} mm over the ground; "
                f"{low * 1e3:.0f} to {high * 1e3:.0f} mm are possible ({self.facts['height']['how']})",
                key="height_mm",
            )
        return _laminate.beam(self, clamp_to_ground_m, self.thickness_m(category))

    def chain(self, category: float, clamp_to_ground_m: float, segments: int = SEGMENTS) -> Chain:
        """The blade as rigid segments and springs; its joints stand in the same order at every height.

        Parameters
        ----------
        category, clamp_to_ground_m
            As for `beam`.
        segments
            Rigid parts that the blade is made of.
        """
        return _laminate.chain(self, float(category), float(clamp_to_ground_m), segments)

    def attach(
        self,
        parent: mujoco.MjsBody,
        *,
        suffix: str,
        category: float,
        clamp_to_ground_m: float,
        pos=(0, 0, 0),
        quat=(1, 0, 0, 0),
    ) -> mujoco.MjsBody:
        """Add the blade to a model.

        Adds joints ``blade_bend{1..5}_{r,l}`` (positive: toe up), ``blade_torsion`` (positive: toe inward),
        ``blade_lateral`` (positive: the sole's inner edge up), 12 spheres ``contact_{r,l}_{0..11}`` with user
        data (K, c, mu, side) of models/contact.toml, and sites ``blade_clamp``, ``blade_tip``.

        Parameters
        ----------
        parent
            The body under which it is clamped.
        suffix
            The side, "r" or "l".
        category, clamp_to_ground_m
            As for `beam`; the unloaded sole's lowest point is at z = -clamp_to_ground_m.
        pos, quat
            The blade's frame in the parent, m and a unit quaternion.

        Returns
        -------
        mujoco.MjsBody
            The clamped body.
        """
        law = toml("contact.toml")["blade"]
        clamped = add_chain(
            parent,
            self.chain(category, clamp_to_ground_m),
            suffix=suffix,
            relaxation_s=self.relaxation_s(),
            contact=[law["stiffness_n_m15"], law["damping_s_m"], law["friction"]],
            pos=list(pos),
            quat=list(quat),
        )
        if self.shape == "C":
            length = (
                clamp_to_ground_m - self.value("sole", "radius_m") - _laminate.profile(self.points_mm)[2][0]
            )
            radius = self.value("pylon", "radius_m")
            pylon = clamped.add_body(name=f"blade_pylon_{suffix}")
            pylon.add_geom(
                type=mujoco.mjtGeom.mjGEOM_CYLINDER,
                size=[radius, 0, 0],
                fromto=[0, 0, 0, 0, 0, -length],
                mass=self.value("pylon", "mass_kg_m") * length,
                rgba=METAL,
                contype=0,
                conaffinity=0,
                group=1,
            )
        return clamped

    def strain(self, bend_rad: np.ndarray, category: float, clamp_to_ground_m: float) -> np.ndarray:
        """Greatest fibre strain along the blade, |M| t / (2 EI).

        Parameters
        ----------
        bend_rad
            (..., n) bends of its joints.
        category, clamp_to_ground_m
            As for `beam`.

        Returns
        -------
        numpy.ndarray
            (...) strain.
        """
        chain = self.chain(category, clamp_to_ground_m)
        return np.abs(np.asarray(bend_rad) @ chain.strain_per_bend.T).max(-1)
