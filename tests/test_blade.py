"""The catalogue, its laws, and the chain that a blade becomes in MuJoCo."""

import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bladerun.blade.catalog import catalog, load_blade
from bladerun.blade.running_blade import SEGMENTS, Blade
from bladerun.errors import InputError

BLADES = [load_blade(name) for name in catalog()]
each_blade = pytest.mark.parametrize("blade", BLADES, ids=lambda b: b.name)


def attached(blade: Blade, suffix: str, category: float = 5) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    height = blade.rating_height_m
    blade.attach(
        spec.worldbody, suffix=suffix, category=category, clamp_to_ground_m=height, pos=(0, 0, height)
    )
    return spec.compile()


def moved(model: mujoco.MjModel, q: np.ndarray) -> mujoco.MjData:
    data = mujoco.MjData(model)
    data.qpos[:] = q
    mujoco.mj_forward(model, data)
    return data


def test_the_catalogue_holds_a_sprint_and_a_distance_blade():
    assert catalog() == ("c-distance", "j-sprint")
    assert {b.name: b.shape for b in BLADES} == {"j-sprint": "J", "c-distance": "C"}


@each_blade
def test_every_figure_has_a_status_and_a_source(blade):
    def check(table, path):
        for key, entry in table.items():
            if isinstance(entry, dict) and "value" in entry:
                assert entry["status"].split()[0] in {
                    "measured",
                    "read",
                    "derived",
                    "assumed",
                    "numerical",
                }, path
                assert entry["source"], (path, key)
            elif isinstance(entry, dict):
                check(entry, (*path, key))

    check(blade.facts, (blade.name,))


@each_blade
def test_stiffness_rises_linearly_and_so_nearly_does_the_frequency_under_53_kg(blade):
    category = np.array(blade.categories)
    stiffness = np.array([blade.stiffness_n_m(int(c))[0] for c in category])
    assert np.ptp(np.diff(stiffness)) < 1e-6 and np.all(np.diff(stiffness) > 0)
    hertz = np.sqrt(stiffness / 53) / (2 * np.pi)
    assert hertz[0] >= 2.7 and hertz[-1] <= 4.1
    assert np.corrcoef(category, hertz)[0, 1] ** 2 > 0.99


@each_blade
def test_categories_beyond_the_list_are_extrapolated_and_further_ones_refused(blade):
    last = blade.categories[-1]
    assert [blade.stiffness_n_m(c)[2] for c in (1, 2.5, last, last + 2, -1)] == [
        False,
        False,
        False,
        True,
        True,
    ]
    for wrong in (12, -2, "soft", float("nan"), True):
        with pytest.raises(InputError, match="accepted as extrapolated"):
            blade.stiffness_n_m(wrong)


@each_blade
@given(a=st.floats(44, 129.9), b=st.floats(44, 129.9))
def test_a_heavier_runner_is_never_recommended_a_softer_category(blade, a, b):
    light, heavy = sorted((a, b))
    assert blade.recommended_category(light) <= blade.recommended_category(heavy)
    assert blade.recommended_category(a, "low") <= blade.recommended_category(a, "high")


@each_blade
def test_recommendation_knows_its_limits(blade):
    assert [blade.recommended_category(m) for m in (52.9, 53, 72, 116)] == [2, 3, 5, 8]
    with pytest.raises(InputError, match="44 to under 131 kg"):
        blade.recommended_category(140)
    with pytest.raises(InputError, match="44"):
        blade.recommended_category(20, "low")
    with pytest.raises(InputError, match="did you mean 'high'"):
        blade.recommended_category(70, "hihg")


def test_an_unknown_blade_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'j-sprint'"):
        load_blade("j-sprnt")


@each_blade
def test_a_clamp_out_of_reach_is_refused(blade):
    low, high = blade.clamp_to_ground_range_m
    for wrong in (low - 0.01, high + 0.01):
        with pytest.raises(InputError, match="mm over the ground"):
            blade.chain(5, wrong)


@each_blade
def test_joints_sites_and_spheres_have_their_names(blade):
    model = attached(blade, "l")
    names = {model.joint(i).name for i in range(model.njnt)}
    assert names == {f"blade_bend{i}_l" for i in range(1, SEGMENTS + 1)} | {
        "blade_torsion_l",
        "blade_lateral_l",
    }
    assert np.all(model.jnt_stiffness > 0)
    assert np.ptp(model.dof_damping / model.jnt_stiffness) < 1e-12
    spheres = [model.geom(f"contact_l_{i}") for i in range(12)]
    assert all(np.all(sphere.user > 0) for sphere in spheres)
    assert model.site("blade_clamp_l").name and model.site("blade_tip_l").name


@each_blade
def test_the_unloaded_sole_rests_on_the_ground_ahead_of_the_clamp(blade):
    model = attached(blade, "r")
    data = moved(model, np.zeros(model.nv))
    spheres = np.array([data.geom(f"contact_r_{i}").xpos for i in range(12)])
    radius = blade.value("sole", "radius_m")
    assert np.all(spheres[:, 2] >= radius - 1e-6)
    assert spheres[:, 2].min() - radius < 1e-3
    line_m = np.array(blade.points_mm) / 1e3
    clamp_x_m = line_m[0, 0] if blade.shape == "J" else blade.value("pylon", "axis_x_m")
    ahead_m = line_m[np.argmin(line_m[:, 1]), 0] - clamp_x_m
    assert np.isclose(spheres[np.argmin(spheres[:, 2]), 0], ahead_m, atol=0.02)


@each_blade
def test_mass_and_inertia_are_those_of_the_laminate(blade):
    model = attached(blade, "r")
    pylon = sum(model.body_mass[i] for i in range(model.nbody) if "pylon" in model.body(i).name)
    assert np.isclose(model.body_mass.sum() - pylon, blade.mass_kg)
    beam = blade.beam(5, blade.rating_height_m)
    weight = np.gradient(beam.s_m) * beam.thickness_m
    volume = weight.sum() * beam.width_m
    assert 0.7 < blade.mass_kg / (volume * 1600) < 1.3  # carbon/epoxy, kg/m3
    whole = blade.mass_kg * (weight @ (beam.x_m**2 + beam.z_m**2)) / weight.sum()
    about_clamp = sum(
        model.body_mass[i] * (p[0] ** 2 + p[2] ** 2) + model.body_inertia[i].max()
        for i, p in enumerate(moved(model, np.zeros(model.nv)).xipos - [0, 0, blade.rating_height_m])
        if i and "pylon" not in model.body(i).name
    )
    assert np.isclose(about_clamp, whole, rtol=0.02)


@each_blade
@settings(deadline=None, max_examples=15)
@given(q=st.lists(st.floats(-0.2, 0.2), min_size=SEGMENTS + 2, max_size=SEGMENTS + 2))
def test_left_is_the_mirror_of_right(blade, q):
    right, left = (moved(attached(blade, side), np.array(q)) for side in "rl")
    for i in range(12):
        a, b = right.geom(f"contact_r_{i}").xpos, left.geom(f"contact_l_{i}").xpos
        assert np.allclose(a * [1, -1, 1], b, atol=1e-12)


@each_blade
def test_positive_joints_lift_the_toe_turn_it_inward_and_lift_the_soles_inner_edge(blade):
    model = attached(blade, "r")
    tip = model.site("blade_tip_r").id
    rest = moved(model, np.zeros(model.nv)).site_xpos[tip].copy()
    change = {}
    for i in range(model.nv):
        change[model.joint(i).name[6:-2]] = moved(model, 0.1 * np.eye(model.nv)[i]).site_xpos[tip] - rest
    assert all(change[f"bend{i}"][2] > 0 for i in range(1, SEGMENTS + 1))
    assert change["torsion"][1] > 0
    clamped = load_blade(blade.name).chain(5, blade.rating_height_m)
    assert clamped.axes[0, 1] > abs(clamped.axes[0, 0]) and clamped.axes[1, 0] > abs(clamped.axes[1, 1])
    rolled = moved(
        model, 0.1 * (np.array([model.joint(i).name for i in range(model.nv)]) == "blade_lateral_r")
    )
    outer, inner = (rolled.geom(f"contact_r_{i}").xpos for i in (0, 1))
    assert inner[1] > outer[1] and inner[2] > outer[2] + 0.002


@each_blade
def test_the_chain_has_the_beams_flexibility(blade):
    """Unit loads at the toe: sum over hinges = integral over the arc, for Fx, Fz, My and their products."""
    beam = blade.beam(5, blade.rating_height_m)
    free = beam.free
    give = 1 / beam.bending_nm2[free]

    def rows(x, z):
        return np.array([beam.z_m[-1] - z, beam.x_m[-1] - x, np.ones_like(x)])

    arms = rows(beam.x_m[free], beam.z_m[free])
    whole = np.trapezoid(arms[:, None] * arms[None] * give, beam.s_m[free])
    for segments in (3, 5, 9):
        chain = blade.chain(5, blade.rating_height_m, segments)
        arms = rows(*chain.hinge_m.T)
        assert np.allclose(np.einsum("ai,bi,i->ab", arms, arms, 1 / chain.stiffness_nm_rad), whole, rtol=2e-3)


@each_blade
def test_out_of_plane_flexibility_is_that_of_a_curved_beam_but_for_some_sway(blade):
    """Loads at the toe: lateral force, moments about x and z."""
    beam, chain = blade.beam(5, blade.rating_height_m), blade.chain(5, blade.rating_height_m)
    f = beam.free
    s, x, z, t, b = beam.s_m[f], beam.x_m[f], beam.z_m[f], beam.thickness_m[f], beam.width_m

    def rows(axis, x, z):
        return np.array([axis[1] * (beam.x_m[f][-1] - x) - axis[0] * (beam.z_m[f][-1] - z), *axis])

    whole = np.zeros((3, 3))
    tangent = np.array([np.cos(beam.heading[f]), np.sin(beam.heading[f])])
    twisting = beam.shear_modulus_pa * b * t**3 / 3 * (1 - 0.63 * t / b)
    for axis, stiffness in (
        (tangent, twisting),
        (np.array([-tangent[1], tangent[0]]), beam.youngs_modulus_pa * t * b**3 / 12),
    ):
        arm = rows(axis, x, z)
        whole += np.trapezoid(arm[:, None] * arm[None] / stiffness, s)
    arms = [rows(axis, *chain.centre_m) for axis in chain.axes]
    reduced = sum(np.outer(arm, arm) / k for arm, k in zip(arms, chain.out_of_plane_nm_rad, strict=True))
    assert np.allclose(reduced[1:], whole[1:], rtol=1e-6)
    assert 0.75 < reduced[0, 0] / whole[0, 0] <= 1


@each_blade
def test_strain_is_that_of_the_moment_at_the_rear(blade):
    chain = blade.chain(5, blade.rating_height_m)
    beam, force = chain.beam, 100.0  # small: arms stay as they are
    end = beam.x_m[beam.free][-1]
    bend = force * (end - chain.hinge_m[:, 0]) / chain.stiffness_nm_rad
    moment = force * (end - beam.x_m[beam.free])
    expected = np.max(moment * (beam.thickness_m / 2 / beam.bending_nm2)[beam.free])
    strain = blade.strain(np.array([bend, -2 * bend]), 5, blade.rating_height_m)
    assert np.allclose(strain, [expected, 2 * expected], rtol=1e-6)
