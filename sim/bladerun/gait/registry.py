"""What outcomes are and how one is declared: on the function that computes it.

Takes functions of legs or of whole strides with the rows they give; `bladerun.gait.outcomes` makes the table
of results from those in `PRODUCERS`.

Words used in the definitions. Contact: vertical ground reaction force above 30 N, the time between knots
by interpolation (threshold of Fukuchi 2017, doi 10.7717/peerj.3298). Greatest compression: when the blade
holds most elastic energy; on an intact leg the moment in its contact when the centre of mass is lowest.
Recoil: from greatest compression to toe-off. Joint moments are net internal moments about the joint's own
axes, positive in the direction of the positive angle. Forward is the running direction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from bladerun.gait._both import Both
    from bladerun.gait.events import Leg

LENHART = "Lenhart 2014, doi 10.2519/jospt.2014.5575"
TENG = "Teng & Powers 2015, doi 10.1249/MSS.0000000000000436"
MCMAHON = "McMahon & Cheng 1990, J Biomech 23 Suppl 1:65-78, doi 10.1016/0021-9290(90)90042-2"
FUKUCHI = "Fukuchi 2017, doi 10.7717/peerj.3298"
BECK = "Beck 2017, doi 10.1098/rsif.2017.0230"
ROBINSON = "Robinson 1987, J Manipulative Physiol Ther 10:172-176"
DONELAN = "Donelan 2002, doi 10.1016/S0021-9290(01)00169-5"
BHARGAVA = "Bhargava 2004, doi 10.1016/S0021-9290(03)00239-2"
PRAMPERO = "di Prampero 2005, J Exp Biol 208:2809"
MARGARIA = "Margaria 1968, Int Z angew Physiol 25:339-351"
HICKS = "Hicks 2015, doi 10.1115/1.4029304"
SASAKI = "Sasaki & Neptune 2010, J Biomech 43:2780-2784"
OWN = "own definition"
BENCH = "EP 2 065 018 B1"
NEVER = "never measured in running with a blade"
SPRINT = "measured in sprint and long jump only, not at distance-running speeds"
TOE_OUT = "how it changes with toe-out was never measured in running with a blade"


class Row(NamedTuple):
    """An outcome as it is declared; see `Outcome`."""

    key: str
    title: str
    unit: str
    definition: str
    source: str
    untested: str = ""


class Outcome(NamedTuple):
    """One row of the table of results.

    Attributes
    ----------
    key
        Its name in tables and files, with its unit.
    title
        Its name for people.
    unit
        Of the number.
    per_leg
        Whether each leg has its own.
    definition
        What it is, and which way is positive.
    source
        Where the definition comes from.
    untested
        What of it was, as far as the authors know, never measured in running with a blade, so that no
        prediction of it could be compared with a measurement; empty where there is some measurement.
    """

    key: str
    title: str
    unit: str
    per_leg: bool
    definition: str
    source: str
    untested: str = ""


Rows = Mapping[str, float]


class Producer(NamedTuple):
    """A function and the outcomes it gives. needs: what a stride, or a leg, must have for it."""

    outcomes: tuple[Outcome, ...]
    compute: Callable[..., Rows]
    per_leg: bool
    needs: frozenset[str]


PRODUCERS: list[Producer] = []
NEEDS = frozenset({"contact", "blade", "knee unit", "muscles", "solved"})

_OfLeg = TypeVar("_OfLeg", bound="Callable[[Leg, Both], Rows]")
_OfWhole = TypeVar("_OfWhole", bound="Callable[[Both], Rows]")


def each_leg(*rows: Row, needs: tuple[str, ...] = ("contact",)) -> Callable[[_OfLeg], _OfLeg]:
    """Declares the outcomes that the decorated function gives for a leg, called with the leg and both.

    needs: "contact" of both legs with the ground, a "blade" on this leg, a "knee unit" in it, "muscles", a
    stride that was "solved" and not measured; without, rows are None.
    """
    return _declared(rows, True, needs)


def whole_stride(*rows: Row, needs: tuple[str, ...] = ()) -> Callable[[_OfWhole], _OfWhole]:
    """Declares the outcomes that the decorated function gives for the whole stride, called with both legs."""
    return _declared(rows, False, needs)


def _declared(rows: tuple[Row, ...], per_leg: bool, needs: tuple[str, ...]) -> Callable:
    declared = {outcome.key for producer in PRODUCERS for outcome in producer.outcomes}
    if twice := declared & {row.key for row in rows}:
        raise ValueError(f"declared twice: {', '.join(sorted(twice))}")
    if unknown := set(needs) - NEEDS:
        raise ValueError(f"needs {', '.join(sorted(unknown))}; allowed: {', '.join(sorted(NEEDS))}")

    def decorate(compute: Callable[..., Rows]) -> Callable[..., Rows]:
        each = tuple(Outcome(*row[:3], per_leg, *row[3:]) for row in rows)
        PRODUCERS.append(Producer(each, compute, per_leg, frozenset(needs)))
        return compute

    return decorate
