"""Inverse dynamics of a tree of 1-dof joints, with analytic derivatives, compiled by numba.

Takes a `Tree`, gravity and q, v, a; gives the generalised forces that move it so in the absence of anything
else (`required_forces` adds what acts on it), and their derivatives.

World-frame spatial vectors (angular first, about the world origin). Derivatives after Singh, Russell &
Wensing 2022 (doi 10.1109/LRA.2022.3141194). Equal to `mj_inverse` to rounding: tests/test_dynamics.py.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import copy, register_jitable
from bladerun.stride.dynamics.tree import Tree


class Motion(NamedTuple):
    """Scratch of one evaluation, reused over knots: link frames and spatial quantities."""

    rot: np.ndarray  # (n, 3, 3)
    pos: np.ndarray  # (n, 3)
    S: np.ndarray  # (n, 6) joint axes
    V: np.ndarray  # (n, 6)
    A: np.ndarray  # (n, 6)
    psid: np.ndarray  # (n, 6) V_parent x S
    psidd: np.ndarray  # (n, 6) A_parent x S + V_parent x psid
    inertia: np.ndarray  # (n, 6, 6) composite
    B: np.ndarray  # (n, 6, 6) composite
    f: np.ndarray  # (n, 6) composite
    sphere_force: np.ndarray  # (s, 3)
    sphere_point: np.ndarray  # (s, 3) lowest point
    sphere_velocity: np.ndarray  # (s, 3) of the material there
    ground: np.ndarray  # (3,) force that the ground must give
    ground_by: np.ndarray  # (3, 3, n) its derivatives in q, v and a


def motion(model: Tree) -> Motion:
    """Scratch arrays for a model."""
    n, s = len(model.parent), len(model.sphere_link)
    return Motion(
        rot=np.zeros((n, 3, 3)),
        pos=np.zeros((n, 3)),
        S=np.zeros((n, 6)),
        V=np.zeros((n, 6)),
        A=np.zeros((n, 6)),
        psid=np.zeros((n, 6)),
        psidd=np.zeros((n, 6)),
        inertia=np.zeros((n, 6, 6)),
        B=np.zeros((n, 6, 6)),
        f=np.zeros((n, 6)),
        sphere_force=np.zeros((s, 3)),
        sphere_point=np.zeros((s, 3)),
        sphere_velocity=np.zeros((s, 3)),
        ground=np.zeros(3),
        ground_by=np.zeros((3, 3, n)),
    )


@register_jitable
def inverse(model, m, gravity, q, v, a, tau, derivatives, tau_q, tau_v, tau_a):
    """Generalised forces of the tree alone: what must act on it besides gravity.

    model Tree, m Motion (overwritten), gravity (3,) [m/s^2]; q, v, a (n,) [m, rad and per s]; fills tau (n,)
    [N, Nm] and, with `derivatives`, tau_q, tau_v, tau_a (n, n), d tau_i / d q_j and so on.
    """
    kinematics(model, m, gravity, q, v, a)
    composite(model, m, derivatives)
    for i in range(len(model.parent)):
        tau[i] = dot(m.S[i], m.f[i]) + model.armature[i] * a[i]
    if derivatives:
        _derivatives(model, m, tau_q, tau_v, tau_a)


@register_jitable
def dot(x, y):
    return x[0] * y[0] + x[1] * y[1] + x[2] * y[2] + x[3] * y[3] + x[4] * y[4] + x[5] * y[5]


@register_jitable
def cross(x, y, out):
    """x x y of the first three entries each."""
    out[0] = x[1] * y[2] - x[2] * y[1]
    out[1] = x[2] * y[0] - x[0] * y[2]
    out[2] = x[0] * y[1] - x[1] * y[0]


@register_jitable
def velocity_at(V, p, out):
    """Of the point p (3,) of what moves by a motion vector V, the angular part first."""
    out[0] = V[3] + V[1] * p[2] - V[2] * p[1]
    out[1] = V[4] + V[2] * p[0] - V[0] * p[2]
    out[2] = V[5] + V[0] * p[1] - V[1] * p[0]


@register_jitable
def motion_cross(x, y, out):
    """x x y of two motion vectors."""
    out[0] = x[1] * y[2] - x[2] * y[1]
    out[1] = x[2] * y[0] - x[0] * y[2]
    out[2] = x[0] * y[1] - x[1] * y[0]
    out[3] = x[1] * y[5] - x[2] * y[4] + x[4] * y[2] - x[5] * y[1]
    out[4] = x[2] * y[3] - x[0] * y[5] + x[5] * y[0] - x[3] * y[2]
    out[5] = x[0] * y[4] - x[1] * y[3] + x[3] * y[1] - x[4] * y[0]


@register_jitable
def force_cross(x, f, out):
    """x x* f of a motion and a force vector."""
    out[0] = x[1] * f[2] - x[2] * f[1] + x[4] * f[5] - x[5] * f[4]
    out[1] = x[2] * f[0] - x[0] * f[2] + x[5] * f[3] - x[3] * f[5]
    out[2] = x[0] * f[1] - x[1] * f[0] + x[3] * f[4] - x[4] * f[3]
    out[3] = x[1] * f[5] - x[2] * f[4]
    out[4] = x[2] * f[3] - x[0] * f[5]
    out[5] = x[0] * f[4] - x[1] * f[3]


@register_jitable
def times(matrix, x, out):
    for r in range(6):
        row = matrix[r]
        out[r] = row[0] * x[0] + row[1] * x[1] + row[2] * x[2] + row[3] * x[3] + row[4] * x[4] + row[5] * x[5]


@register_jitable
def kinematics(model, m, gravity, q, v, a):
    """Frames, joint axes, velocities and accelerations, root to tip."""
    axis, anchor, v0, a0 = np.empty(3), np.empty(3), np.zeros(6), np.zeros(6)
    turn, start = np.empty((3, 3)), np.empty((3, 3))
    for r in range(3):
        a0[3 + r] = -gravity[r]
    for i in range(len(model.parent)):
        p, R, x, S = model.parent[i], m.rot[i], m.pos[i], m.S[i]
        if p < 0:
            copy(model.rot0[i], start)
            copy(model.pos0[i], x)
            vp, ap = v0, a0
        else:
            _carried(m.rot[p], m.pos[p], model.rot0[i], model.pos0[i], start, x)
            vp, ap = m.V[p], m.A[p]
        for r in range(3):
            axis[r] = 0.0
            anchor[r] = x[r]
            for k in range(3):
                axis[r] += start[r, k] * model.axis[i, k]
                anchor[r] += start[r, k] * model.anchor[i, k]
        if model.slide[i]:
            copy(start, R)
            for r in range(3):
                x[r] += axis[r] * q[i]
                S[r] = 0.0
                S[3 + r] = axis[r]
        else:
            _rotation(model.axis[i], q[i], turn)
            for r in range(3):
                for k in range(3):
                    R[r, k] = start[r, 0] * turn[0, k] + start[r, 1] * turn[1, k] + start[r, 2] * turn[2, k]
            for r in range(3):
                x[r] = anchor[r]
                for k in range(3):
                    x[r] -= R[r, k] * model.anchor[i, k]
            S[0], S[1], S[2] = axis[0], axis[1], axis[2]
            S[3] = anchor[1] * axis[2] - anchor[2] * axis[1]
            S[4] = anchor[2] * axis[0] - anchor[0] * axis[2]
            S[5] = anchor[0] * axis[1] - anchor[1] * axis[0]
        motion_cross(vp, S, m.psid[i])
        motion_cross(ap, S, m.psidd[i])
        motion_cross(vp, m.psid[i], m.V[i])
        for r in range(6):
            m.psidd[i, r] += m.V[i, r]
            m.V[i, r] = vp[r] + S[r] * v[i]
            m.A[i, r] = ap[r] + S[r] * a[i] + m.psid[i, r] * v[i]


@register_jitable
def _carried(R, x, rot0, pos0, start, pos):
    """Fill start (3, 3) and pos (3,): rot0 and pos0, fixed to a link with frame R at x, in the world."""
    for r in range(3):
        for c in range(3):
            s = 0.0
            for k in range(3):
                s += R[r, k] * rot0[k, c]
            start[r, c] = s
        pos[r] = x[r]
        for k in range(3):
            pos[r] += R[r, k] * pos0[k]


@register_jitable
def _rotation(u, angle, turn):
    """Fill turn (3, 3): by an angle [rad] about a unit vector."""
    c, s = np.cos(angle), np.sin(angle)
    t = 1.0 - c
    turn[0, 0] = t * u[0] * u[0] + c
    turn[0, 1] = t * u[0] * u[1] - s * u[2]
    turn[0, 2] = t * u[0] * u[2] + s * u[1]
    turn[1, 0] = t * u[0] * u[1] + s * u[2]
    turn[1, 1] = t * u[1] * u[1] + c
    turn[1, 2] = t * u[1] * u[2] - s * u[0]
    turn[2, 0] = t * u[0] * u[2] - s * u[1]
    turn[2, 1] = t * u[1] * u[2] + s * u[0]
    turn[2, 2] = t * u[2] * u[2] + c


@register_jitable
def body_inertia(model, m, i, Ib):
    """Fill Ib (6, 6), the spatial inertia of link i's body alone, about the world origin."""
    c, Iw = np.empty(3), np.empty((3, 3))
    mass, R, local = model.mass[i], m.rot[i], model.inertia[i]
    for r in range(3):
        c[r] = m.pos[i, r]
        for k in range(3):
            c[r] += R[r, k] * model.com[i, k]
    half = np.empty((3, 3))
    for r in range(3):
        for k in range(3):
            half[r, k] = R[r, 0] * local[0, k] + R[r, 1] * local[1, k] + R[r, 2] * local[2, k]
    for r in range(3):
        for k in range(r, 3):
            Iw[r, k] = half[r, 0] * R[k, 0] + half[r, 1] * R[k, 1] + half[r, 2] * R[k, 2]
            Iw[k, r] = Iw[r, k]
    Ib[:] = 0.0
    cc = c[0] * c[0] + c[1] * c[1] + c[2] * c[2]
    for r in range(3):
        for k in range(3):
            Ib[r, k] = Iw[r, k] - mass * c[r] * c[k]
        Ib[r, r] += mass * cc
        Ib[3 + r, 3 + r] = mass
    Ib[0, 4], Ib[0, 5] = -mass * c[2], mass * c[1]
    Ib[1, 3], Ib[1, 5] = mass * c[2], -mass * c[0]
    Ib[2, 3], Ib[2, 4] = -mass * c[1], mass * c[0]
    for r in range(3):
        for k in range(3):
            Ib[3 + r, k] = Ib[k, 3 + r]


@register_jitable
def composite(model, m, derivatives):
    """Composite inertia, Coriolis matrix B and force, tip to root."""
    n = len(model.parent)
    h = np.empty(6)
    t6 = np.empty(6)
    vm = np.zeros((6, 6))
    for i in range(n):
        Ib, B, f = m.inertia[i], m.B[i], m.f[i]
        Ib[:] = 0.0
        f[:] = 0.0
        if derivatives:
            B[:] = 0.0
        if model.mass[i] == 0.0:
            continue
        body_inertia(model, m, i, Ib)
        V = m.V[i]
        times(Ib, V, h)
        times(Ib, m.A[i], f)
        force_cross(V, h, t6)
        for r in range(6):
            f[r] += t6[r]
        if derivatives:
            coriolis(Ib, V, h, vm, B)
    for i in range(n - 1, 0, -1):
        p = model.parent[i]
        if p < 0:
            continue
        for r in range(6):
            m.f[p, r] += m.f[i, r]
            for k in range(6):
                m.inertia[p, r, k] += m.inertia[i, r, k]
        if derivatives:
            for r in range(6):
                for k in range(6):
                    m.B[p, r, k] += m.B[i, r, k]


@register_jitable
def coriolis(Ib, V, h, vm, B):
    """B = 1/2 [(V x*) I - I (V x) + (h xbar*)], with (h xbar*) S = S x* h."""
    w0, w1, w2, u0, u1, u2 = V[0], V[1], V[2], V[3], V[4], V[5]
    vm[0, 1], vm[0, 2], vm[1, 0], vm[1, 2], vm[2, 0], vm[2, 1] = -w2, w1, w2, -w0, -w1, w0
    vm[3, 4], vm[3, 5], vm[4, 3], vm[4, 5], vm[5, 3], vm[5, 4] = -w2, w1, w2, -w0, -w1, w0
    vm[3, 1], vm[3, 2], vm[4, 0], vm[4, 2], vm[5, 0], vm[5, 1] = -u2, u1, u2, -u0, -u1, u0
    for r in range(6):
        for k in range(6):
            s = 0.0
            for x in range(6):
                s -= vm[x, r] * Ib[x, k] + Ib[r, x] * vm[x, k]
            B[r, k] = 0.5 * s
    for g in range(3):  # -[n]x in the angular-angular block, -[f]x in the two others
        r0, k0 = (0, 3, 0)[g], (0, 0, 3)[g]
        o = 0 if g == 0 else 3
        x, y, z = 0.5 * h[o], 0.5 * h[o + 1], 0.5 * h[o + 2]
        B[r0, k0 + 1] += z
        B[r0, k0 + 2] -= y
        B[r0 + 1, k0] -= z
        B[r0 + 1, k0 + 2] += x
        B[r0 + 2, k0] += y
        B[r0 + 2, k0 + 1] -= x


@register_jitable
def _derivatives(model, m, tau_q, tau_v, tau_a):
    """Partial derivatives before contact, one sweep over pairs of a joint and its ancestors."""
    n = len(model.parent)
    u, w, t = np.empty(6), np.empty(6), np.empty(6)
    down_q, down_v = np.empty(6), np.empty(6)
    tau_q[:] = 0.0
    tau_v[:] = 0.0
    tau_a[:] = 0.0
    for i in range(n):
        S, Ib, B = m.S[i], m.inertia[i], m.B[i]
        times(Ib, S, w)
        for r in range(6):
            s = 0.0
            for k in range(6):
                s += B[k, r] * S[k]
            u[r] = 2 * s
        times(B, m.psid[i], down_q)
        times(Ib, m.psidd[i], t)
        for r in range(6):
            down_q[r] = 2 * down_q[r] + t[r]
        force_cross(S, m.f[i], t)
        for r in range(6):
            down_q[r] += t[r]
        times(B, S, down_v)
        times(Ib, m.psid[i], t)
        for r in range(6):
            down_v[r] = 2 * (down_v[r] + t[r])
        j = i
        while j >= 0:
            tau_q[i, j] = dot(u, m.psid[j]) + dot(w, m.psidd[j])
            tau_v[i, j] = dot(u, m.S[j]) + 2 * dot(w, m.psid[j])
            tau_a[i, j] = dot(w, m.S[j])
            if j != i:
                tau_q[j, i] = dot(m.S[j], down_q)
                tau_v[j, i] = dot(m.S[j], down_v)
                tau_a[j, i] = tau_a[i, j]
            j = model.parent[j]
        tau_a[i, i] += model.armature[i]
