"""The sweep: gradient, Hessian and corrections against finite differences, on small machines."""

import numpy as np
import pytest

from bladerun.stride._blocks import NODE, TIMES, times_squares
from bladerun.stride._curvature import curvature
from bladerun.stride._dynamics import motion
from bladerun.stride._kernel import correction, sweep, sweep_arrays
from bladerun.stride._links import links
from bladerun.stride._mesh import UNEVEN, mesh
from bladerun.stride._muscles import muscles
from hopper import HOPPER, MUSCLED, SLIDES, compiled, copied, dense, random_terms

KNOTS, TIME = 12, np.array([0.55, 0.013, -0.02, 0.015, -0.012])


class Problem:
    """Terms on a machine, as functions of x = (control points, times, activations)."""

    def __init__(self, xml, terms):
        self.model, self.terms = links(compiled(xml)), terms
        self.m, self.n, self.knots = motion(self.model), len(self.model.parent), KNOTS

    def __call__(self, x, derivatives=True):
        out = sweep_arrays(self.knots, self.n, self.terms.muscles)
        c, places, nodes = self.parts(x)
        return sweep(self.model, self.m, self.terms, places, c, nodes, out, derivatives), out

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


@pytest.fixture(params=["bare 0", "bare 1", "muscled 2", "muscled 3"])
def hopper(request):
    kind, seed = request.param.split()
    rng = np.random.default_rng(int(seed))
    xml = MUSCLED if kind == "muscled" else HOPPER
    pulling = muscles(compiled(xml))
    x = np.append(hopping(rng), rng.uniform(-0.1, 1.1, KNOTS // NODE * pulling.count))
    problem = Problem(xml, random_terms(rng, KNOTS, 8, pulling))
    assert np.ptp(problem(x)[1].tau[:, 2]) > 100  # the ground is met
    return problem, x


def with_everything(terms):
    """Also power, limits and where the feet go, whose exact Hessian nobody asks for."""
    return terms._replace(
        power_weight=np.full(8, 1e-2),
        limit=np.tile([-0.05, 0.05], (8, 1)),
        limit_weight=np.full(8, 5.0),
        clearance=0.06,
        clearance_weight=np.tile([0.0, 300.0, 400.0], (KNOTS, 1)),
        contact=np.array([[True, True, False], [False, False, True]]),
        leaves=np.array([3, 2]),
        edge_height=np.array([0.01, 0.006]),
        edge_weight=30.0,
        placement=np.array([-0.3, 0.2]),
        placement_weight=np.array([4.0, 6.0]),
    )


def test_gradient(hopper):
    problem, x = hopper
    problem.terms = with_everything(problem.terms)
    gradient, expected = problem(x)[1].gradient, problem.gradient_by_differences(x)
    np.testing.assert_allclose(gradient, expected, atol=1e-6 * np.abs(expected).max())
    T = KNOTS * problem.n
    times = slice(T, T + TIMES)
    np.testing.assert_allclose(
        gradient[times], expected[times], rtol=1e-5, atol=1e-8 * np.abs(expected).max()
    )


def test_clearance_weighs_low_feet_only(hopper):
    problem, x = hopper
    weighed = problem.terms._replace(clearance=0.06, clearance_weight=np.full((KNOTS, 3), 300.0))
    cost = problem(x, False)[0]
    high = x.copy()
    high[2 : KNOTS * 8 : 8] += 1.0  # m up
    lifted = problem(high, False)[0]
    problem.terms = weighed
    assert problem(x, False)[0] > cost
    assert problem(high, False)[0] == lifted


def test_cost_needs_no_derivatives(hopper):
    problem, x = hopper
    problem.terms = with_everything(problem.terms)
    (one, full), (other, bare) = problem(x), problem(x, False)
    assert one == other
    np.testing.assert_array_equal(full.tau, bare.tau)
    assert not bare.gradient.any()


def test_gauss_newton_is_symmetric_and_never_negative(hopper):
    problem, x = hopper
    problem.terms = with_everything(problem.terms)
    out = problem(x)[1]
    np.testing.assert_allclose(out.hessian[:, 0], out.hessian[:, 0].transpose(0, 2, 1), rtol=1e-9, atol=1e-9)
    eigenvalues = np.linalg.eigvalsh(dense(out, out.border))
    assert eigenvalues[0] > -1e-12 * eigenvalues[-1]


def at_one_weight(terms):
    """All that does not count by a knot's share of time: how that changes with the times no Hessian knows."""
    none = np.zeros_like(terms.target_weight)
    weights = {"target_weight": none, "pace_weight": none, "effort_weight": 0 * terms.effort_weight}
    weights |= {"sideways_weight": 0.0, "bound_weight": 0.0, "excitation_weight": 0.0}
    return terms._replace(hard=np.ones(len(none), bool), **weights)


@pytest.mark.parametrize("soft", [False, True])
def test_hessian_is_exact_where_forces_are_linear(soft):
    """With soft terms in every row but those from UNEVEN on, which move weights even where they are zero."""
    rng = np.random.default_rng(5)
    terms = random_terms(rng, KNOTS, 3)
    problem = Problem(SLIDES, terms if soft else at_one_weight(terms))
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
    curvature(problem.model, problem.m, problem.terms, places, nodes, out, *filled)
    return filled


def test_hessian_is_exact_with_the_forces_curvature(hopper):
    """All second-order terms together are the derivative of the gradient, contact included."""
    problem, x = hopper
    problem.terms = at_one_weight(problem.terms)
    out = problem(x)[1]
    squares = second_order(problem, x, out)
    gauss_newton = dense(out, out.border + out.exact)
    whole, expected = gauss_newton.copy(), problem.hessian_by_differences(x)
    for unit, column in zip(np.eye(len(x)), whole.T, strict=True):
        times_squares(*squares, unit, column)
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
    correction(problem.terms, problem.parts(x)[1], base, trial, step, out)
    return out


def test_no_correction_where_forces_are_linear():
    rng = np.random.default_rng(6)
    problem = Problem(SLIDES, random_terms(rng, KNOTS, 3))
    x = np.append(0.1 * rng.normal(size=3 * KNOTS), TIME)
    step = np.append(0.1 * rng.normal(size=3 * KNOTS), np.zeros(TIMES))  # in those even these are not
    base, trial = copied(problem(x)[1]), problem(x + step, False)[1]
    out = corrected(problem, x, base, trial, step)
    assert np.abs(out).max() < 1e-12 * np.abs(base.gradient).max()


def test_correction_is_the_gradient_of_what_a_step_left(hopper):
    problem, x = hopper
    step = 1e-2 * np.random.default_rng(7).normal(size=len(x))
    base, trial = copied(problem(x)[1]), problem(x + step, False)[1]
    out = corrected(problem, x, base, trial, step)
    n, t = problem.n, problem.terms
    weight = t.force_weight / np.where(base.tau > 0, t.force_scale[:, 1], t.force_scale[:, 0])
    expected = np.zeros(len(x))
    T, nodes = KNOTS * n, KNOTS // NODE
    moves, places = step[T + TIMES :].reshape(nodes, -1), problem.parts(x)[1]
    for k in range(KNOTS):
        at = np.append(
            [((k + o) % KNOTS) * n + j for o in (-1, 0, 1) for j in range(n)], T + np.arange(TIMES)
        )
        share, j = k % NODE / NODE, k // NODE
        counts = np.where(t.hard, 1.0, places.weight[k]) / KNOTS
        by_a = np.zeros((n, moves.shape[1]))
        by_a[t.muscles.rows] = base.Ja[k]
        change = (1 - share) * moves[j] + share * moves[(j + 1) % nodes]
        left = weight[k] * (trial.tau[k] - base.tau[k] - base.J[k] @ step[at] - by_a @ change)
        np.add.at(expected, at, (counts * weight[k] * left) @ base.J[k])
        back = (counts * weight[k] * left) @ by_a
        for node, part in ((j, 1 - share), ((j + 1) % nodes, share)):
            here = T + TIMES + node * len(back)
            expected[here : here + len(back)] += part * back
    np.testing.assert_allclose(out, expected, atol=1e-9 * np.abs(expected).max())
