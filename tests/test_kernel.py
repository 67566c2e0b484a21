"""The sweep: gradient, Hessian and corrections against finite differences, on small machines."""

import numpy as np
import pytest

from bladerun.environment import Wrench
from bladerun.stride._curvature import curvature
from bladerun.stride.cost.look_up import cubics, look_up
from bladerun.stride.dynamics.inverse_dynamics import motion
from bladerun.stride.sweep import Terms, correction, sweep, sweep_arrays
from bladerun.stride.transcription.blocks import NODE, TIMES, hessian_vector_product
from bladerun.stride.transcription.mesh import UNEVEN, mesh
from models.hopper import HOPPER, MUSCLED, SLIDES, copied, dense, random_arrays, with_laws

KNOTS, TIME = 12, np.array([0.55, 0.013, -0.02, 0.015, -0.012])


class Problem:
    """A problem's arrays as functions of x = (control points, times, activations)."""

    def __init__(self, arrays):
        self.arrays = arrays
        self.m, self.n, self.knots = motion(arrays.tree), len(arrays.tree.parent), KNOTS

    def replace(self, **terms):
        self.arrays = self.arrays._replace(terms=self.arrays.terms._replace(**terms))

    def __call__(self, x, derivatives=True):
        out = sweep_arrays(self.knots, self.arrays)
        c, places, nodes = self.parts(x)
        return sweep(self.arrays, self.m, places, c, nodes, out, derivatives), out

    def parts(self, x):
        c, times, nodes = np.split(x, [self.knots * self.n, self.knots * self.n + TIMES])
        return c.reshape(self.knots, self.n), mesh(self.knots, times), nodes.reshape(self.knots // NODE, -1)

    def gradient_by_differences(self, x, eps=1e-6):
        cost = [[self(x + s * e, False)[0] for s in (eps, -eps)] for e in np.eye(len(x))]
        return np.diff(cost, axis=1)[:, 0] / (-2 * eps)

    def hessian_by_differences(self, x, eps=1e-6):
        rows = [
            (self(x + eps * e)[1].gradient - self(x - eps * e)[1].gradient) / (2 * eps)
            for e in np.eye(len(x))
        ]
        return np.array(rows)


def hopping(rng, n=8):
    """In and out of the ground, every joint on the move, a few limits touched."""
    c = 0.05 * rng.normal(size=(KNOTS, n))
    c[:, 2] = 0.06 * np.cos(2 * np.pi * np.arange(KNOTS) / KNOTS) - 0.03
    return np.append(c, TIME)


PULL = Wrench("thigh", (30.0, -20.0, 15.0), (4.0, 2.0, -3.0), (0.05, 0.02, -0.3))
PUSH = Wrench("toe", (-8.0, 5.0, 2.0))


@pytest.fixture(params=["bare 0", "passive 1", "muscled 2", "muscled 3"])
def hopper(request):
    """Bare, with every kind of passive law, or with muscles; pulled and pushed from outside."""
    kind, seed = request.param.split()
    rng = np.random.default_rng(int(seed))
    xml = {"bare": HOPPER, "passive": with_laws(HOPPER), "muscled": MUSCLED}[kind]
    x = hopping(rng)
    problem = Problem(random_arrays(rng, KNOTS, xml, PULL, PUSH))
    x = np.append(x, rng.uniform(-0.1, 1.1, KNOTS // NODE * problem.arrays.muscles.count))
    assert np.ptp(problem(x)[1].tau[:, 2]) > 100  # the ground is met
    return problem, x


def with_everything(problem):
    """Also power, limits and where the feet go, whose exact Hessian is not asked for."""
    t, feet = problem.arrays.terms, np.array([[True, True, False], [False, False, True]])
    problem.replace(
        motors=t.motors._replace(power=np.full(len(t.motors.joint), 1e-2)),
        limits=t.limits._replace(joint=np.arange(8), range=np.tile([-0.05, 0.05], (8, 1)), weight=5.0),
        clearance=t.clearance._replace(height=0.06, weight=np.tile([0.0, 300.0, 400.0], (KNOTS, 1))),
        contact_edges=t.contact_edges._replace(
            foot=feet, leaves=np.array([3, 2]), height=np.array([0.01, 0.006]), weight=30.0
        ),
        excitation=t.excitation._replace(rise=10 * t.excitation.rise, fall=10 * t.excitation.fall),
        placement=t.placement._replace(foot=feet, place=np.array([-0.3, 0.2]), weight=np.array([4.0, 6.0])),
        landing=t.landing._replace(foot=feet, ahead=0.1, weight=np.array([5.0, 3.0])),
    )


def test_gradient(hopper):
    problem, x = hopper
    with_everything(problem)
    gradient, expected = problem(x)[1].gradient, problem.gradient_by_differences(x)
    np.testing.assert_allclose(gradient, expected, atol=1e-6 * np.abs(expected).max())
    T = KNOTS * problem.n
    times = slice(T, T + TIMES)
    np.testing.assert_allclose(
        gradient[times], expected[times], rtol=1e-5, atol=1e-8 * np.abs(expected).max()
    )


def test_clearance_weighs_low_feet_only(hopper):
    problem, x = hopper
    weighed = problem.arrays.terms.clearance._replace(height=0.06, weight=np.full((KNOTS, 3), 300.0))
    cost = problem(x, False)[0]
    high = x.copy()
    high[2 : KNOTS * 8 : 8] += 1.0  # m up
    lifted = problem(high, False)[0]
    problem.replace(clearance=weighed)
    assert problem(x, False)[0] > cost
    assert problem(high, False)[0] == lifted


def test_cost_needs_no_derivatives(hopper):
    problem, x = hopper
    with_everything(problem)
    (one, full), (other, bare) = problem(x), problem(x, False)
    assert one == other
    np.testing.assert_array_equal(full.tau, bare.tau)
    assert not bare.gradient.any()


def test_gauss_newton_is_symmetric_and_never_negative(hopper):
    problem, x = hopper
    with_everything(problem)
    out = problem(x)[1]
    np.testing.assert_allclose(out.hessian[:, 0], out.hessian[:, 0].transpose(0, 2, 1), rtol=1e-9, atol=1e-9)
    eigenvalues = np.linalg.eigvalsh(dense(out, out.border))
    assert eigenvalues[0] > -1e-12 * eigenvalues[-1]


def test_terms_add_up_to_the_cost(hopper):
    problem, x = hopper
    with_everything(problem)
    cost, out = problem(x, False)
    assert cost == pytest.approx(out.terms.sum(), rel=1e-12)
    used = dict(zip(Terms._fields, out.terms, strict=True))
    if not problem.arrays.muscles.count:
        assert used.pop("effort") == used.pop("excitation") == used.pop("reserves") == 0
    assert all(value > 0 for value in used.values()), used


def bounced(problem, c, times):
    return problem(np.append(c, times), False)[1].terms[Terms._fields.index("bounce")]


def alike(rng):
    """A problem and a motion whose steps are alike, as the reference's are."""
    problem = Problem(random_arrays(rng, KNOTS, HOPPER))
    own = problem.arrays.terms.bounce
    own = own._replace(apart=0.0, reference=cubics(np.tile(0.1 * rng.normal(size=(5, 1)), (2, 1))))
    problem.replace(bounce=own)
    c, times = np.tile(0.1 * rng.normal(size=(KNOTS // 2, 8)), (2, 1)), TIME * (np.arange(TIMES) < UNEVEN)
    return problem, c, times


def of_each_step(problem, c, times):
    """The bounce of a motion, each step's pace against the reference's by itself."""
    own, places, ref = problem.arrays.terms.bounce, mesh(KNOTS, times), np.empty((4, 1))
    squares = []
    for pace, phase in zip(problem(np.append(c, times), False)[1].v[:, 2], places.phase, strict=True):
        look_up(own.reference, phase, ref)
        squares.append((own.weight * (pace - ref[1, 0] / times[0])) ** 2)
    return 0.5 * places.weight @ squares / KNOTS


def test_bounce_of_steps_that_are_alike_is_that_of_each_step():
    problem, c, times = alike(np.random.default_rng(8))
    assert bounced(problem, c, times) == pytest.approx(of_each_step(problem, c, times), rel=1e-12)


def test_held_apart_each_step_counts_by_itself():
    rng = np.random.default_rng(11)
    problem, c, times = alike(rng)
    problem.replace(bounce=problem.arrays.terms.bounce._replace(apart=1.0))
    c[:, 2] += 0.1 * rng.normal(size=KNOTS)
    assert bounced(problem, c, times) == pytest.approx(of_each_step(problem, c, times), rel=1e-12)


def test_a_limp_costs_no_bounce():
    rng = np.random.default_rng(9)
    problem, c, times = alike(rng)
    limp, both = np.zeros_like(c), np.zeros_like(c)
    limp[:, 2] = np.concatenate(0.1 * rng.normal(size=KNOTS // 2) * np.array([[1.0], [-1.0]]))
    both[:, 2] = np.abs(limp[:, 2])
    assert bounced(problem, c + limp, times) == pytest.approx(bounced(problem, c, times), rel=1e-12)
    assert bounced(problem, c + both, times) != pytest.approx(bounced(problem, c, times), rel=0.1)


@pytest.mark.parametrize("knots", [18, 30])
def test_the_bounce_s_square_falls_short_in_no_direction(knots):
    """Of its exact one; and is larger only where a limp changes from each knot to the next."""
    rng = np.random.default_rng(10)
    problem = Problem(random_arrays(rng, knots, SLIDES))
    problem.knots = knots
    x = np.append(0.1 * rng.normal(size=3 * knots), TIME)
    surplus = []
    for weight in (0.0, 100.0):
        problem.replace(bounce=problem.arrays.terms.bounce._replace(weight=weight, apart=0.0))
        out = problem(x)[1]
        surplus.append(dense(out, out.border) - problem.hessian_by_differences(x))
    changed = (surplus[1] - surplus[0])[: 3 * knots, : 3 * knots]
    eigenvalues = np.linalg.eigvalsh(changed)
    assert eigenvalues[0] > -1e-5 * eigenvalues[-1]
    assert (eigenvalues > 1e-3 * eigenvalues[-1]).sum() == 1


def at_one_weight(problem):
    """All that does not count by a knot's share of time: how that changes with the times no Hessian knows."""
    t, n = problem.arrays.terms, problem.n
    scale = np.full(n, 150.0)
    problem.replace(
        residual_forces=t.residual_forces._replace(joint=np.arange(n), scale=scale),
        reserves=t.reserves._replace(joint=t.reserves.joint[:0]),
        motors=t.motors._replace(joint=t.motors.joint[:0]),
        tracking=t.tracking._replace(weight=np.zeros(n)),
        bounce=t.bounce._replace(weight=0.0),
        effort=t.effort._replace(weight=0 * t.effort.weight, bound=0.0),
        excitation=t.excitation._replace(weight=0.0),
        sideways_force=t.sideways_force._replace(weight=0.0),
        lean=t.lean._replace(weight=0.0),
        knee_stop=t.knee_stop._replace(weight=0 * t.knee_stop.weight),
    )


@pytest.mark.parametrize("soft", [False, True])
def test_hessian_is_exact_where_forces_are_linear(soft):
    """With soft terms in every row but those from UNEVEN on, which move weights even where they are zero."""
    rng = np.random.default_rng(5)
    problem = Problem(random_arrays(rng, KNOTS, SLIDES))
    if not soft:
        at_one_weight(problem)
    x = np.append(0.1 * rng.normal(size=3 * KNOTS), TIME * ((np.arange(TIMES) < UNEVEN) | (not soft)))
    out = problem(x)[1]
    rows = slice(0, len(x) - soft * (TIMES - UNEVEN))  # the last: there are no muscles
    expected = problem.hessian_by_differences(x)[rows, rows]
    whole = dense(out, out.border + out.exact)[rows, rows]
    np.testing.assert_allclose(whole, expected, atol=1e-6 * np.abs(expected).max())
    for time in range(3 * KNOTS, len(whole)):
        np.testing.assert_allclose(whole[time], expected[time], atol=1e-6 * np.abs(expected[time]).max())


def second_order(problem, x, out):
    width, (_, places, nodes) = 3 * problem.n + TIMES, problem.parts(x)
    filled = np.zeros((KNOTS, width, width)), np.zeros((KNOTS, nodes.shape[1], width))
    curvature(problem.arrays, problem.m, places, nodes, out, *filled)
    return filled


def test_hessian_is_exact_with_the_forces_curvature(hopper):
    """All second-order terms together are the derivative of the gradient, contact included."""
    problem, x = hopper
    at_one_weight(problem)
    out = problem(x)[1]
    squares = second_order(problem, x, out)
    gauss_newton = dense(out, out.border + out.exact)
    whole, expected = gauss_newton.copy(), problem.hessian_by_differences(x)
    for unit, column in zip(np.eye(len(x)), whole.T, strict=True):
        hessian_vector_product(*squares, unit, column)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(whole, expected, atol=1e-4 * scale)
    assert np.abs(whole - expected).max() < 1e-2 * np.abs(gauss_newton - expected).max()


def test_curvature_is_that_of_the_weighed_forces(hopper):
    problem, x = hopper
    n, eps = problem.n, 1e-6
    out = copied(problem(x)[1])
    squares, _ = second_order(problem, x, out)
    np.testing.assert_allclose(squares, squares.transpose(0, 2, 1), atol=1e-12 * np.abs(squares).max())
    for k in (0, 4, KNOTS - 1):
        expected = np.zeros((3 * n, 3 * n))
        for column in range(3 * n):
            e = np.zeros(len(x))
            e[((k - 1 + column // n) % KNOTS) * n + column % n] = eps
            pulls = []
            for side in (1, -1):
                moved = problem(x + side * e)[1]
                pulls.append(out.y[k] @ moved.J[k] + out.y_force[k] @ moved.Jf[k])
            expected[:, column] = (pulls[0] - pulls[1])[: 3 * n] / (2 * eps)
        np.testing.assert_allclose(squares[k, : 3 * n, : 3 * n], expected, atol=1e-4 * np.abs(expected).max())


def corrected(problem, x, base, trial, step):
    out = np.empty(len(step))
    correction(problem.arrays.muscles, base, trial, step, out)
    return out


def test_no_correction_where_forces_are_linear():
    rng = np.random.default_rng(6)
    problem = Problem(random_arrays(rng, KNOTS, SLIDES))
    x = np.append(0.1 * rng.normal(size=3 * KNOTS), TIME)
    step = np.append(0.1 * rng.normal(size=3 * KNOTS), np.zeros(TIMES))  # in those even these are not
    base, trial = copied(problem(x)[1]), problem(x + step, False)[1]
    out = corrected(problem, x, base, trial, step)
    assert np.abs(out).max() < 1e-12 * np.abs(base.gradient).max()


def weights(problem, tau):
    """(N, n) weight of each force's square in the cost, without power."""
    t, places = problem.arrays.terms, mesh(KNOTS, TIME)
    weight, over_time = np.zeros_like(tau), places.weight[:, None] / KNOTS
    own = t.residual_forces
    weight[:, own.joint] = (own.weight / own.scale) ** 2 / KNOTS
    for own in (t.reserves, t.motors):
        scale = np.where(tau[:, own.joint] > 0, own.scale[:, 1], own.scale[:, 0])
        weight[:, own.joint] = over_time * (own.weight / scale) ** 2
    return weight


def test_correction_is_the_gradient_of_what_a_step_left(hopper):
    problem, x = hopper
    step = 1e-2 * np.random.default_rng(7).normal(size=len(x))
    base, trial = copied(problem(x)[1]), problem(x + step, False)[1]
    out = corrected(problem, x, base, trial, step)
    n, rows = problem.n, problem.arrays.muscles.rows
    weight = weights(problem, base.tau)
    expected = np.zeros(len(x))
    T, nodes = KNOTS * n, KNOTS // NODE
    moves = step[T + TIMES :].reshape(nodes, -1)
    for k in range(KNOTS):
        at = np.append(
            [((k + o) % KNOTS) * n + j for o in (-1, 0, 1) for j in range(n)], T + np.arange(TIMES)
        )
        share, j = k % NODE / NODE, k // NODE
        by_a = np.zeros((n, moves.shape[1]))
        by_a[rows] = base.Ja[k]
        change = (1 - share) * moves[j] + share * moves[(j + 1) % nodes]
        left = weight[k] * (trial.tau[k] - base.tau[k] - base.J[k] @ step[at] - by_a @ change)
        np.add.at(expected, at, left @ base.J[k])
        back = left @ by_a
        for node, part in ((j, 1 - share), ((j + 1) % nodes, share)):
            here = T + TIMES + node * len(back)
            expected[here : here + len(back)] += part * back
    np.testing.assert_allclose(out, expected, atol=1e-9 * np.abs(expected).max())
