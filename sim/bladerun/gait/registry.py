"""What each outcome of a stride is: key, title, unit, whether each leg has its own, definition and sign.

Takes nothing; gives `OUTCOMES`, from which the table of results, its columns, the report and the
manual are written.

Words used in the definitions. Contact: vertical ground reaction force above 30 N, the time between knots
by interpolation (threshold of Fukuchi 2017, doi 10.7717/peerj.3298). Greatest compression: when the blade
holds most elastic energy; on an intact leg the moment in its contact when the centre of mass is lowest.
Recoil: from greatest compression to toe-off. Joint moments are net internal moments about the joint's own
axes, positive in the direction of the positive angle. Forward is the running direction.
"""

from typing import NamedTuple

_MCMAHON = "McMahon & Cheng 1990, J Biomech 23 Suppl 1:65-78, doi 10.1016/0021-9290(90)90042-2"
_FUKUCHI = "Fukuchi 2017, doi 10.7717/peerj.3298"
_BECK = "Beck 2017, doi 10.1098/rsif.2017.0230"
_ROBINSON = "Robinson 1987, J Manipulative Physiol Ther 10:172-176"
_DONELAN = "Donelan 2002, doi 10.1016/S0021-9290(01)00169-5"
_BHARGAVA = "Bhargava 2004, doi 10.1016/S0021-9290(03)00239-2"
_PRAMPERO = "di Prampero 2005, J Exp Biol 208:2809"
_MARGARIA = "Margaria 1968, Int Z angew Physiol 25:339-351"
_HICKS = "Hicks 2015, doi 10.1115/1.4029304"
_SASAKI = "Sasaki & Neptune 2010, J Biomech 43:2780-2784"
_OWN = "own definition"
_BENCH = "EP 2 065 018 B1"
_NEVER = "never measured in running with a blade"
_SPRINT = "measured in sprint and long jump only, not at distance-running speeds"
_TOE_OUT = "how it changes with toe-out was never measured in running with a blade"


class Outcome(NamedTuple):
    """One row of the table of results.

    untested: what of it was, as far as the authors know, never measured in running with a blade, so that no
    prediction of it could be compared with a measurement; empty where there is some measurement.
    """

    key: str
    title: str
    unit: str
    per_leg: bool
    definition: str
    source: str
    untested: str = ""


def _symmetry(key: str, title: str) -> Outcome:
    definition = (
        f"200 (A - U) / (|A| + |U|) of {title}; A is the affected and U the other leg, with both or no leg "
        "affected A is the right one; 0 = symmetric, positive = more on A"
    )
    return Outcome(f"asymmetry_{key}_percent", f"asymmetry of {title}", "%", False, definition, _ROBINSON)


def _excess(joint: str, title: str) -> Outcome:
    definition = (
        "greatest amount by which the moment leaves the range of able-bodied ones in contact, in either "
        "sense; that range is from the least of mean - SD to the greatest of mean + SD over contact at this "
        "speed"
    )
    return Outcome(
        f"{joint}_torque_excess_nm_kg",
        f"{title}, beyond able-bodied",
        "Nm/kg",
        True,
        definition,
        _FUKUCHI,
        _TOE_OUT,
    )


def _work(key: str, of: str, power: str) -> tuple[Outcome, Outcome]:
    return (
        Outcome(f"{key}_work_positive_j_kg", f"positive work of {of}", "J/kg", True,
                f"positive part over the stride, of {power}", _OWN),
        Outcome(f"{key}_work_negative_j_kg", f"negative work of {of}", "J/kg", True,
                f"negative part over the stride, of {power}; never positive", _OWN),
    )  # fmt: skip


OUTCOMES: tuple[Outcome, ...] = (
    Outcome("stride_time_s", "stride time", "s", False, "time of one whole stride, two steps", _FUKUCHI),
    Outcome("step_frequency_hz", "step frequency", "1/s", False, "2 / stride time", _FUKUCHI),
    Outcome("contact_time_s", "contact time", "s", True, "touchdown to toe-off", _FUKUCHI),
    Outcome("duty_factor", "duty factor", "-", True, "contact time / stride time", _FUKUCHI),
    Outcome("flight_time_s", "flight time", "s", True,
            "from this leg's toe-off to the other's touchdown; negative where both are down", _OWN),
    Outcome("step_time_s", "step time", "s", True, "from the other leg's touchdown to this leg's", _OWN),
    Outcome("step_length_m", "step length", "m", True,
            "forward distance from the other leg's to this leg's next mean centre of pressure "
            "(mean over contact, weighted with vertical force)", _OWN),
    Outcome("step_width_m", "step width", "m", False,
            "distance between the lines of the two legs' mean centres of pressure; negative where they cross",
            _OWN),
    Outcome("heel_step_width_m", "step width between the heels", "m", False,
            "sideways distance of the heels, each at the middle of its contact; negative where they cross; "
            "none with a blade", _FUKUCHI),
    Outcome("com_excursion_mm", "vertical travel of the centre of mass", "mm", False,
            "highest minus lowest over the stride", _OWN),
    # forces
    Outcome("peak_vgrf_bw", "peak vertical force", "BW", True, "greatest vertical force", _FUKUCHI),
    Outcome("mean_vgrf_bw", "mean vertical force", "BW", True, "mean vertical force over contact", _BECK),
    Outcome("loading_rate_bw_s", "loading rate", "BW/s", True,
            "steepest rise of the vertical force between touchdown and its peak", _OWN),
    Outcome("vertical_impulse_bw_s", "vertical impulse", "BW s", True, "vertical force over contact", _OWN),
    Outcome("braking_impulse_bw_s", "braking impulse", "BW s", True,
            "backward part of the fore-aft force over contact; never positive", _OWN),
    Outcome("propulsive_impulse_bw_s", "propulsive impulse", "BW s", True,
            "forward part of the fore-aft force over contact; never negative", _OWN),
    Outcome("leg_stiffness_kn_m", "leg stiffness", "kN/m", True,
            "peak vertical force / (dy + L (1 - cos a)), sin a = speed x contact time / (2 L); dy = fall of "
            "the centre of mass from touchdown to its lowest point in contact, L = hip centre to ground "
            "when standing",
            _MCMAHON),
    # where the leg stands under the body
    Outcome("landing_offset_m", "landing ahead of the body", "m", True,
            "centre of pressure minus whole-body centre of mass at touchdown, forward positive", _OWN),
    Outcome("landing_offset_leg_percent", "landing ahead of the body", "% leg length", True,
            "landing_offset_m / leg length", _OWN),
    Outcome("landing_offset_hip_m", "landing ahead of the hip", "m", True,
            "centre of pressure minus this leg's hip centre at touchdown, forward positive", _OWN),
    Outcome("sweet_spot_offset_m", "sweet spot offset", "m", True,
            "centre of pressure minus whole-body centre of mass at greatest blade compression, "
            "forward positive; 0 = the loaded blade stands under the body", _OWN, _NEVER),
    Outcome("sweet_spot_offset_hip_m", "sweet spot offset from the hip", "m", True,
            "centre of pressure minus this leg's hip centre at greatest blade compression, forward positive",
            _OWN, _NEVER),
    # the blade
    Outcome("blade_energy_peak_j", "energy stored in the blade", "J", True, "greatest elastic energy", _OWN,
            _SPRINT),
    Outcome("blade_energy_returned_j", "energy the blade gives back", "J", True,
            "elastic energy released from its peak to toe-off, less what the blade loses meanwhile", _OWN,
            _SPRINT),
    Outcome("blade_energy_lost_j", "energy lost in the blade", "J", True,
            "dissipated inside the blade during contact", _OWN, _SPRINT),
    Outcome("blade_energy_return_percent", "energy return of the blade", "%", True,
            "returned / (rise of elastic energy from touchdown to its peak + loss meanwhile)", _OWN),
    Outcome("blade_compression_mm", "blade compression", "mm", True,
            "how far the loaded sole gives way, seen from the clamp, in the direction of the ground force, "
            "at greatest compression", _OWN),
    Outcome("blade_stiffness_seen_kn_m", "blade stiffness as the runner feels it", "kN/m", True,
            "size of the ground reaction force at greatest compression / that compression", _OWN),
    Outcome("blade_strain_margin", "strength margin of the blade", "-", True,
            "allowable fibre strain / greatest fibre strain in contact; below 1 the blade is overloaded",
            _OWN),
    Outcome("recoil_direction_deg", "recoil direction", "deg", True,
            "angle of the ground reaction impulse of the recoil above the horizontal: 90 = straight up, "
            "below 90 = up and forward, above 90 = up and backward", _OWN, _NEVER),
    Outcome("recoil_work_up_j", "work of the recoil upward", "J", True,
            "work of this leg's vertical ground reaction force on the centre of mass in the recoil",
            _DONELAN, _NEVER),
    Outcome("recoil_work_forward_j", "work of the recoil forward", "J", True,
            "work of this leg's fore-aft ground reaction force on the centre of mass in the recoil",
            _DONELAN, _NEVER),
    # joint loads
    Outcome("hip_torque_flexion_peak_nm_kg", "hip torque, flexion-extension", "Nm/kg", True,
            "greatest size of the moment about the flexion axis in contact", _OWN),
    Outcome("hip_torque_adduction_peak_nm_kg", "hip torque, ab-/adduction", "Nm/kg", True,
            "greatest size of the moment about the adduction axis in contact", _OWN),
    Outcome("hip_torque_rotation_peak_nm_kg", "hip torque, rotation", "Nm/kg", True,
            "greatest size of the moment about the long axis of the thigh in contact", _OWN, _TOE_OUT),
    Outcome("hip_extension_torque_peak_nm_kg", "hip extension torque", "Nm/kg", True,
            "greatest extension moment in contact, extension positive", "Heiderscheit 2011"),
    Outcome("hip_abduction_torque_peak_nm_kg", "hip abduction torque", "Nm/kg", True,
            "greatest abduction moment in contact, abduction positive", "Heiderscheit 2011"),
    Outcome("hip_internal_rotation_torque_peak_nm_kg", "hip internal rotation torque", "Nm/kg", True,
            "greatest internal rotation moment in contact", "Heiderscheit 2011", _TOE_OUT),
    Outcome("hip_external_rotation_torque_peak_nm_kg", "hip external rotation torque", "Nm/kg", True,
            "greatest external rotation moment in contact, external positive", "Heiderscheit 2011", _TOE_OUT),
    Outcome("hip_torque_flexion_impulse_nm_s_kg", "hip torque impulse, flexion-extension", "Nm s/kg", True,
            "size of the moment about the flexion axis, integrated over contact", _OWN),
    Outcome("hip_torque_adduction_impulse_nm_s_kg", "hip torque impulse, ab-/adduction", "Nm s/kg", True,
            "size of the moment about the adduction axis, integrated over contact", _OWN),
    Outcome("hip_torque_rotation_impulse_nm_s_kg", "hip torque impulse, rotation", "Nm s/kg", True,
            "size of the moment about the long axis of the thigh, integrated over contact", _OWN, _TOE_OUT),
    Outcome("knee_extension_torque_peak_nm_kg", "knee extension torque", "Nm/kg", True,
            "greatest knee extension moment in contact, extension positive", "Heiderscheit 2011"),
    Outcome("ankle_plantarflexion_torque_peak_nm_kg", "ankle push-off torque", "Nm/kg", True,
            "greatest plantarflexion moment in contact, plantarflexion positive; intact leg only", _FUKUCHI),
    Outcome("socket_axial_torque_peak_nm", "twist in the socket", "Nm", True,
            "greatest size of the torque between residual limb and socket about the limb's long axis", _OWN,
            _NEVER),
    Outcome("socket_axial_torque_peak_nm_kg", "twist in the socket per mass", "Nm/kg", True,
            "socket_axial_torque_peak_nm / body mass", _OWN, _NEVER),
    Outcome("socket_axial_torque_impulse_nm_s", "twist in the socket, impulse", "Nm s", True,
            "size of the torque between residual limb and socket about the limb's long axis, integrated over "
            "contact", _OWN, _NEVER),
    *(_excess(*row) for row in (
        ("hip_flexion", "hip torque, flexion-extension"), ("hip_adduction", "hip torque, ab-/adduction"),
        ("hip_rotation", "hip torque, rotation"), ("knee_flexion", "knee torque"))),
    Outcome("lumbar_extension_torque_peak_nm_kg", "lumbar torque, flexion-extension", "Nm/kg", False,
            "greatest size of the lumbar moment about the extension axis", _OWN, _NEVER),
    Outcome("lumbar_bending_torque_peak_nm_kg", "lumbar torque, side bending", "Nm/kg", False,
            "greatest size of the lumbar moment about the bending axis", _OWN, _NEVER),
    Outcome("lumbar_rotation_torque_peak_nm_kg", "lumbar torque, rotation", "Nm/kg", False,
            "greatest size of the lumbar moment about the long axis", _OWN, _NEVER),
    # direction of the feet
    Outcome("foot_progression_deg", "direction of the foot", "deg", True,
            "horizontal direction from heel to toe, of a blade along its sole, against the running direction "
            "at this leg's greatest compression; toes out positive, 0 = straight ahead", _OWN),
    Outcome("foot_progression_touchdown_deg", "direction of the foot at touchdown", "deg", True,
            "as foot_progression_deg, at touchdown", _OWN),
    Outcome("foot_progression_mean_deg", "direction of the foot, mean over contact", "deg", True,
            "as foot_progression_deg, mean over contact weighted with vertical force", _OWN),
    # posture
    Outcome("hip_height_difference_mm", "hip higher over the blade", "mm", False,
            "height of the affected leg's hip centre at its greatest compression, less that of the other "
            "leg's at its own; 0 = level, positive = the runner rises over the blade; with both or no leg "
            "affected the right one less the left one", _OWN, _NEVER),
    Outcome("running_leg_length_touchdown_mm", "leg length at touchdown", "mm", True,
            "hip centre to centre of pressure at touchdown", _OWN),
    Outcome("running_leg_length_midstance_mm", "leg length at greatest compression", "mm", True,
            "hip centre to centre of pressure at this leg's greatest compression", _OWN),
    Outcome("running_leg_length_toe_off_mm", "leg length at toe-off", "mm", True,
            "hip centre to centre of pressure at toe-off", _OWN),
    Outcome("knee_flexion_touchdown_deg", "knee flexion at touchdown", "deg", True,
            "knee angle at touchdown, flexion positive", _FUKUCHI),
    Outcome("swing_clearance_mm", "clearance in swing", "mm", True,
            "least height over the ground of the sole's lowest point from 30 to 85 % of swing", _OWN, _NEVER),
    Outcome("pelvic_obliquity_deg", "pelvic obliquity", "deg", True,
            "slope of the line through both PSIS at this leg's greatest compression, this leg's side up "
            "positive", _OWN, _NEVER),
    Outcome("psis_difference_mm", "height difference of the PSIS", "mm", True,
            "this leg's PSIS minus the other's height at this leg's greatest compression", _OWN, _NEVER),
    Outcome("lumbar_bending_range_deg", "side bending of the trunk", "deg", False,
            "greatest minus least lumbar bending over the stride", _OWN),
    Outcome("lateral_whip_deg", "whip of the blade, rotation", "deg", True,
            "turn of the blade about the limb's long axis in the first 20 % of swing, toe inward positive: "
            "the heel goes laterally, a lateral whip; negative = a medial whip", _OWN, _NEVER),
    Outcome("tip_swing_mm", "whip of the blade, sideways", "mm", True,
            "sideways travel of the blade's tip relative to the knee in the first 20 % of swing, "
            "away from the midline positive", _OWN, _NEVER),
    # bench alignment
    Outcome("standing_height_difference_mm", "standing height difference", "mm", True,
            "hip centre to the lowest point of the unloaded blade in bench alignment (blade upright, hip "
            "over knee), less the same of a sound leg in its shoe", _OWN),
    Outcome("toe_ahead_mm", "toe ahead of the load line", "mm", True,
            "lowest point of the unloaded blade ahead of the vertical through the knee centre in bench "
            "alignment, in the direction in which the blade points", _BENCH),
    Outcome("alignment_alpha_deg", "bench angle alpha", "deg", True,
            "line from the blade's rearmost point to its lowest one, against the ground, in bench alignment",
            _BENCH),
    Outcome("alignment_beta_deg", "bench angle beta", "deg", True,
            "line from the knee centre to the blade's rearmost point, against the vertical, in bench "
            "alignment", _BENCH),
    # asymmetry and effort
    _symmetry("contact_time", "contact time"),
    _symmetry("step_time", "step time"),
    _symmetry("step_length", "step length"),
    _symmetry("peak_vgrf", "peak vertical force"),
    _symmetry("vertical_impulse", "vertical impulse"),
    _symmetry("braking_impulse", "braking impulse"),
    _symmetry("propulsive_impulse", "propulsive impulse"),
    Outcome("joint_work_j_kg_m", "positive work of the joints", "J/kg/m", False,
            "positive power of every driven joint, summed, over mass and distance; "
            "mechanical work, not metabolic cost", _OWN),
    # work of the joints
    *_work("joint", "the leg's joints", "power of each joint: hip, knee, ankle with subtalar joint, toes"),
    *_work("hip", "the hip", "its power about three axes"),
    *_work("knee", "the knee", "its power"),
    *_work("ankle_or_blade", "the ankle or the blade",
           "power of the ankle with its subtalar joint, Achilles tendon included; on the side of a blade, of "
           "what the blade gives: fall of its elastic energy less its loss"),
    Outcome("ankle_or_blade_work_net_j_kg", "net work of the ankle or the blade", "J/kg", True,
            "positive and negative work added: above 0 only a living ankle", _OWN),
    Outcome("ankle_or_blade_power_peak_w_kg", "peak power of the ankle or the blade", "W/kg", True,
            "greatest power given, as for ankle_or_blade_work_positive_j_kg", _OWN),
    Outcome("achilles_energy_peak_j", "energy stored in the Achilles tendon", "J", True,
            "greatest elastic energy; with muscles only", _OWN),
    Outcome("achilles_energy_returned_j", "energy the Achilles tendon gives back", "J", True,
            "greatest minus least elastic energy; its loss is not modelled", _OWN),
    # cost and effort of muscles
    Outcome("metabolic_power_w_kg", "metabolic power", "W/kg", False,
            "mean over the stride: every muscle (Bhargava), work of trunk, arms, toes and reserves over an "
            "efficiency (25 %, -120 %), and 1.2 W/kg at rest", _BHARGAVA),
    Outcome("cost_of_transport_j_kg_m", "metabolic cost of running", "J/kg/m", False,
            "(metabolic power - power at rest) / speed: above rest, as published costs are", _PRAMPERO),
    Outcome("gross_cost_of_transport_j_kg_m", "metabolic cost of running, with rest", "J/kg/m", False,
            "metabolic power / speed", _BHARGAVA),
    Outcome("upper_body_cost_of_transport_j_kg_m", "metabolic cost of trunk and arms", "J/kg/m", False,
            "their part of cost_of_transport_j_kg_m: joint by joint, positive work / 0.25 + negative work / "
            "-1.2, nothing stored in tendons; a rough share", _MARGARIA),
    Outcome("leg_metabolic_power_w_kg", "metabolic power of the leg", "W/kg", True,
            "its muscles, toes and reserves, above rest, per kg of the whole body", _BHARGAVA),
    Outcome("leg_cost_of_transport_j_kg_m", "metabolic cost of the leg", "J/kg/m", True,
            "its part of cost_of_transport_j_kg_m", _BHARGAVA),
    Outcome("activation_peak", "peak activation", "-", True,
            "greatest activation of any of its muscles, 0 to 1", _OWN),
    Outcome("reserve_peak_fraction", "reserve against joint moment", "-", True,
            "peak moment of the reserve that helps the muscles / peak net moment of its joint, in the joint "
            "where it is greatest; above 0.1 the muscles do not explain the motion", _HICKS),
    # joint contact
    Outcome("hip_contact_force_bw", "contact force in the hip", "BW", True,
            "greatest force of the pelvis on the thigh: force between the segments from inverse dynamics, "
            "less the pull of every muscle across the joint along its path", _SASAKI),
    Outcome("knee_contact_force_bw", "contact force in the knee", "BW", True,
            "greatest force of the thigh on the shank, found in the same way; ligaments count as bone",
            _SASAKI),
)  # fmt: skip
