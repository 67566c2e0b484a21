"""Solvers that stand in for the real one in tests of studies: they sleep instead of solving.

Each takes and gives what `bladerun.study.job.Solver` says. A row's cost depends on its inputs and on whether
it had a start, so that a table can be checked whatever order it was made in.
"""

import os
import time


def cost(inputs):
    """A bowl with its lowest point at 20 mm and 5 deg."""
    fitting = inputs.fitting
    return 3.5 + 0.01 * abs(fitting.height_mm - 20) + 0.02 * abs(fitting.toe_out_deg - 5)


def instant(way, start, keep):
    row = {"status": "converged", "why": "", "objective": cost(way[-1])}
    row["cost_of_transport_j_kg_m"] = row["objective"] + (0.001 if start else 0.0)
    row["psis_difference_mm_right"] = way[-1].fitting.height_mm - 25
    return row, b"seed" if keep != "nothing" else None


def sleeping(way, start, keep):
    time.sleep(0.05)
    return instant(way, start, keep)


def second(way, start, keep):
    time.sleep(1.0)
    return instant(way, start, keep)


def never(way, start, keep):
    """Converges but for the fittings at 30 mm."""
    while way[-1].fitting.height_mm == 30:
        time.sleep(0.01)
    return instant(way, start, keep)


def stuck(way, start, keep):
    """The same, in a call that cannot be stopped."""
    if way[-1].fitting.height_mm == 30:
        time.sleep(3600)
    return instant(way, start, keep)


def greedy(way, start, keep):
    """Is ended as the system ends a process without memory, at 30 mm; not where ENOUGH_MEMORY is set."""
    if way[-1].fitting.height_mm == 30 and "ENOUGH_MEMORY" not in os.environ:
        os.kill(os.getpid(), 9)
    return instant(way, start, keep)


def wrong(way, start, keep):
    if way[-1].fitting.height_mm == 30:
        raise ZeroDivisionError("made to fail")
    return instant(way, start, keep)


def uphill(way, start, keep):
    """Costs more uphill, where the sweet spot falls back; finds nothing on sand; keeps no stride."""
    task, limb = way[-1].task, way[-1].amputation
    if task.ground == "sand":
        return {"status": "not converged", "why": "no way was found", "objective": 1.0}, None
    row = {"status": "converged", "why": "", "objective": 1.0, "blade_margin": 1.4}
    row["cost_j_kg_m"] = 3.0 + 0.1 * task.slope_percent
    row["sweet_spot_offset_m_right"] = -0.002 * task.slope_percent
    row["socket_pistoning_mm_right"] = 17.0 + limb.volume_loss_percent
    row["peak_vgrf_bw_right"], row["peak_vgrf_bw_left"] = 2.5, 2.75
    return row, b"seed"
