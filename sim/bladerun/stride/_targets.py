"""What a motion is held to: reference running, in position, pace and sideways force, and limits of joints.

Takes the motion at a knot and the reference at its phase; adds their residuals' squares to the sweep's
gradient and blocks, with the share of the times, on which the phase and velocities hang.
"""

import numpy as np
from numba import njit

from bladerun.stride._blocks import TIMES
from bladerun.stride._contact import positive_part


@njit(cache=True)
def look_up(reference, phase, out):
    """Fill out (4, n): reference running at a phase, and its first three derivatives there, per stride."""
    R = len(reference)
    place = (phase % 1.0) * R
    piece = min(int(place), R - 1)
    x = (place - piece) / R
    cubic = reference[piece]
    for i in range(out.shape[1]):
        d, c, b, a = cubic[0, i], cubic[1, i], cubic[2, i], cubic[3, i]
        out[0, i] = ((d * x + c) * x + b) * x + a
        out[1, i] = (3 * d * x + 2 * c) * x + b
        out[2, i] = 6 * d * x + 2 * c
        out[3, i] = 6 * d


@njit(cache=True)
def add_targets(terms, mesh, k, q, v, v_by, ref, lam_v, gradient, hessian, border, exact, derivatives):
    """Targets, limits and pace: residuals of one joint at one knot; their squares, not yet times its weight.

    ref (4, n): as `look_up` fills it.
    """
    n, N, T, counts = len(q), len(mesh.time), mesh.times[0], mesh.weight[k]
    sq, sv, by_phase, bend = mesh.stencil[k, 0], mesh.stencil[k, 1], mesh.phase_by[k], mesh.phase_bend[k]
    squares = 0.0
    by_time = np.empty(TIMES)
    for i in range(n):
        w = terms.target_weight[i]
        r = w * (q[i] - ref[0, i])
        over, slope = positive_part(q[i] - terms.limit[i, 1], terms.limit_round[i])
        under, fall = positive_part(terms.limit[i, 0] - q[i], terms.limit_round[i])
        wl, wp = terms.limit_weight[i], terms.pace_weight[i]
        rp = wp * (v[i] - ref[1, i] / T) if wp > 0 else 0.0
        squares += r * r + (wl * over) ** 2 + (wl * under) ** 2 + rp * rp
        if not derivatives:
            continue
        tracked, tied = counts * w * r, counts * w * w
        y = tracked + counts * wl * wl * (over * slope - under * fall)
        s = tied + counts * wl * wl * (slope * slope + fall * fall)
        pulled, paced = counts * wp * rp, counts * wp * wp
        lam_v[k, i] += pulled
        for p in range(TIMES):
            by_time[p] = v_by[p, i] - ref[2, i] * by_phase[p] / T + (ref[1, i] / T**2 if p == 0 else 0.0)
        for x in range(3):
            at = ((k + x - 1) % N) * n + i
            gradient[at] += y * sq[x] + pulled * sv[x]
            for z in range(x, 3):
                hessian[(k + x - 1) % N, z - x, i, i] += s * sq[x] * sq[z] + paced * sv[x] * sv[z]
            for p in range(TIMES):
                border[at, p] += paced * sv[x] * by_time[p] - tied * sq[x] * ref[1, i] * by_phase[p]
        for p in range(TIMES):
            here = N * n + p
            gradient[here] += pulled * by_time[p] - tracked * ref[1, i] * by_phase[p]
            for o in range(TIMES):
                both = by_phase[p] * by_phase[o]
                border[here, o] += paced * by_time[p] * by_time[o] + tied * ref[1, i] ** 2 * both
                exact[here, o] -= tracked * (ref[2, i] * both + ref[1, i] * bend[p, o])
                twist = ref[3, i] * both + ref[2, i] * bend[p, o]
                if p == 0:
                    twist -= ref[2, i] * by_phase[o] / T
                if o == 0:
                    twist -= ref[2, i] * by_phase[p] / T
                if p == 0 and o == 0:
                    twist += 2 * ref[1, i] / T**2
                exact[here, o] -= pulled * twist / T
    return squares


@njit(cache=True)
def add_sideways(
    terms, mesh, k, force, Jf, force_z, ref, y_force, lam_v, lam_a, gradient, G, exact, derivatives
):
    """Square of the sideways force (3,) of the ground less reference running's, not yet times its weight.

    ref (4, 1): as `look_up` fills it, N. Jf (3, 3 n + TIMES), force_z (2, 3, n): derivatives of the force, as
    in `Sweep` and by v and a. With `derivatives`, adds to the knot's y_force (3,), lam_v and lam_a (n,), to
    its square G (3 n + TIMES,) * 2, and to the flat gradient and the exact terms of the times.
    """
    n, N, w = lam_v.shape[0], len(mesh.time), terms.sideways_weight
    off = w * (force[1] - ref[0, 0])
    if not derivatives:
        return off * off
    y = mesh.weight[k] * w * off
    y_force[1] += y
    row = np.sqrt(mesh.weight[k]) * w * Jf[1]
    for p in range(TIMES):
        by_phase = mesh.phase_by[k, p]
        row[3 * n + p] -= np.sqrt(mesh.weight[k]) * w * ref[1, 0] * by_phase
        gradient[N * n + p] += y * (Jf[1, 3 * n + p] - ref[1, 0] * by_phase)
        for o in range(TIMES):
            twist = ref[2, 0] * by_phase * mesh.phase_by[k, o] + ref[1, 0] * mesh.phase_bend[k, p, o]
            exact[N * n + p, o] -= y * twist
    for j in range(n):
        lam_v[j] += y * force_z[0, 1, j]
        lam_a[j] += y * force_z[1, 1, j]
        for o in range(3):
            gradient[((k + o - 1) % N) * n + j] += y * Jf[1, o * n + j]
    for i in range(len(row)):
        for j in range(len(row)):
            G[i, j] += row[i] * row[j]
    return off * off
