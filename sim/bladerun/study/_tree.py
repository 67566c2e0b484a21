"""From which finished point each point of a study starts.

Takes the places of the points, in steps that a stride can start across; gives each point's start, a second
one to check it by, and an order. It is a tree of shortest ways from the first point through each point's near
neighbours, where a way is the sum of its cubed hops: hops stay as short as in a minimum spanning tree, but
a grid of n points in d dimensions is about n^(1/d) hops deep, where that tree winds, so that many workers
find work from the start.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree

_NONE = -1


@dataclass(frozen=True)
class Tree:
    """For n points: start (n,), other (n,): the point each starts from, and the next nearest of those before
    it in `order` (n,); -1 for none. A point comes after what it starts from.
    """

    start: np.ndarray
    other: np.ndarray
    order: np.ndarray


def tree(places: np.ndarray, kinds: Sequence[Hashable], longest: float) -> Tree:
    """places (n, d). kinds: points of different kinds never start from each other. longest: of a hop, along
    any one dimension; what has no neighbour so near starts from nothing."""
    n = len(places)
    start, other = np.full(n, _NONE), np.full(n, _NONE)
    depth = np.zeros(n)
    groups: dict[Hashable, list[int]] = {}
    for i, kind in enumerate(kinds):
        groups.setdefault(kind, []).append(i)
    for members in groups.values():
        here = np.array(members)
        begin, second, far = _within(places[here], longest)
        start[here] = np.where(begin == _NONE, _NONE, here[begin])
        other[here] = np.where(second == _NONE, _NONE, here[second])
        depth[here] = far
    return Tree(start, other, np.lexsort((np.arange(n), depth)))


def _within(x: np.ndarray, longest: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start, other and length of the way, of points (m, d) of one kind."""
    m, d = x.shape
    count = min(m, 2 * d + 4)
    _, near = KDTree(x).query(x, k=count)
    rows, columns = np.repeat(np.arange(m), count), near.ravel()
    hop = x[rows] - x[columns]
    fit = (rows != columns) & (np.abs(hop).max(axis=1, initial=0.0) <= longest + 1e-9)
    rows, columns, cost = rows[fit], columns[fit], (hop[fit] ** 2).sum(axis=1) ** 1.5 + 1e-9
    graph = csr_array((cost, (rows, columns)), shape=(m, m))
    graph = graph.maximum(graph.T)
    start, far = np.full(m, _NONE), np.full(m, np.inf)
    while np.isinf(far).any():  # what cannot be reached from the first begins a tree of its own
        root = int(np.flatnonzero(np.isinf(far))[0])
        way, before = dijkstra(graph, indices=root, return_predecessors=True)
        new = np.isinf(far) & np.isfinite(way)
        start[new], far[new] = np.where(before[new] < 0, _NONE, before[new]), way[new]
    other = np.full(m, _NONE)
    rank = np.empty(m, dtype=int)
    rank[np.lexsort((np.arange(m), far))] = np.arange(m)
    earlier = (rank[columns] < rank[rows]) & (columns != start[rows])
    rows, columns, cost = rows[earlier], columns[earlier], cost[earlier]
    by_cost = np.lexsort((columns, cost))[::-1]  # the cheapest is written last
    other[rows[by_cost]] = columns[by_cost]
    return start, other, far
