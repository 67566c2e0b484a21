"""How a stride, or a row of a study, ended.

Takes nothing; gives `Status`, whose members are the strings that stand as `status` in the attributes of a
stride, in tables and in files.
"""

from enum import StrEnum


class Status(StrEnum):
    """How a stride or a row of a study ended; each member equals its string.

    Attributes
    ----------
    CONVERGED
        Of a stride that was solved: an answer, whose outcomes can be used.
    TOO_WEAK
        Of a stride: converged, but on more than the runner's muscles give: no answer, and never recommended.
    NOT_CONVERGED
        Of a stride: the solver stopped short of a solution; the motion obeys no physics.
    NOT_ALLOWED
        Of a row of a study: the inputs cannot be used, such as a height out of the blade's reach.
    TIMED_OUT
        Of a row of a study: its time was over.
    FAILED
        Of a row of a study: an error in the program, which `why` names.
    LOST
        Of a row of a study: the process that solved it is gone; the next run of the study solves it again.
    HELD
        Of a stride whose controls were kept on another fitting (`hold`): it settled; its outcomes can be
        used.
    NOT_SETTLED
        Of such a stride: a joint still moves from stride to stride.
    FELL
        Of such a stride: the runner fell.
    """

    CONVERGED = "converged"
    TOO_WEAK = "too weak"
    NOT_CONVERGED = "not converged"
    NOT_ALLOWED = "not allowed"
    TIMED_OUT = "timed out"
    FAILED = "failed"
    LOST = "lost"
    HELD = "held"
    NOT_SETTLED = "not settled"
    FELL = "fell"

    @property
    def usable_as_start(self) -> bool:
        """Whether another stride can start from it: it is a motion that obeys physics."""
        return self in (Status.CONVERGED, Status.TOO_WEAK)
