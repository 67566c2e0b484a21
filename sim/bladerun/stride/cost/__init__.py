"""The cost of a stride, one file a term.

Each file has the numbers that its term reads (a NamedTuple), a `prepare` that makes them from a `Problem`'s
parts, and a compiled

    add(own, tree, mesh, nodes, out, derivatives) -> float

own: those numbers; tree: `Tree`; mesh: `Mesh` of N knots; nodes (G, M): activations; out: `Sweep`, in which
positions, forces and places of spheres at every knot stand already. It gives the term's share of the
objective and, with `derivatives`, adds its gradient and its Gauss-Newton square to `out`, in the units of the
objective. Terms of joint forces leave y, d objective / d tau, and the weight of their row, which the sweep
turns into both for all of them at once.
"""
