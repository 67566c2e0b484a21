"""A made-up stride that runs as able-bodied people do: published angles and ground force on the real body.

Takes a side for a blade; gives a Stride dataset like the solver's, without muscles. It obeys no physics, but
its feet land and leave the ground when those of the published runners do.
"""

import mujoco
import numpy as np

from bladerun.body.reference_gait import reference
from models import muscled

SPEED = 3.0


def stride(*, side="none", knots=150):
    """The dataset; each foot's force acts on all its spheres alike."""
    body = muscled.model(side)
    ref = reference(body.joints, SPEED, knots, leg_length_m=body.leg_length_m)
    made = muscled.torque_driven(muscled.stride(side=side, knots=knots))
    period, mj = ref.stride_time_s, body.mj
    time, q = np.arange(knots) * period / knots, ref.q.copy()
    rate = np.fft.rfftfreq(knots, period / knots) * 2j * np.pi
    v = np.fft.irfft(rate[:, None] * np.fft.rfft(q, axis=0), knots, axis=0)
    q[:, 0], v[:, 0] = SPEED * time, SPEED
    data, rows = mujoco.MjData(mj), {name: [] for name in ("site", "axis", "com", "com_velocity", "spot")}
    spheres = [mj.geom(str(name)).id for name in made.contact.values]
    for k in range(knots):
        data.qpos[:], data.qvel[:] = q[k], v[k]
        mujoco.mj_fwdPosition(mj, data)
        mujoco.mj_subtreeVel(mj, data)
        low = data.geom_xpos[spheres] - mj.geom_size[spheres, :1] * [0.0, 0.0, 1.0]
        found = (data.site_xpos, data.xaxis, data.subtree_com[0], data.subtree_linvel[0], low)
        for row, values in zip(rows.values(), found, strict=True):
            row.append(values.copy())
    mine = made.contact_side.values[:, None] == made.side.values
    force = ref.grf * body.mass_kg * 9.81
    push = np.einsum("tsx,cs->tcx", force, mine / mine.sum(0))
    dims = {name: made[name].dims for name in made}
    new = {
        "q": q, "v": v, "grf": force, "contact_force": push, "contact_position": np.array(rows["spot"]),
        "site_position": np.array(rows["site"]), "joint_axis_world": np.array(rows["axis"]),
        "com": np.array(rows["com"]), "com_velocity": np.array(rows["com_velocity"]),
    }  # fmt: skip
    made = made.assign_coords(time=time).assign({name: (dims[name], values) for name, values in new.items()})
    return made.assign_attrs(stride_time_s=period, speed_m_s=SPEED)
