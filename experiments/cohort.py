"""The figure of the cohort study: each runner's best setting, and whether it can be told from the usual one.

Takes the folder that `bladerun sweep experiments/cohort.toml` wrote; gives cohort.png in it.
"""

import numpy as np
from _draw import draw
from matplotlib.figure import Figure

POINT = ["category_step", "height_mm"]


def figure(rows) -> Figure:
    """A row a runner: score of each setting less that of the recommended category at 30 mm; bars: 1 SD of the
    ensemble's paired differences."""
    runners = list(dict.fromkeys(rows.runner))
    result = Figure(figsize=(7.5, 1.0 + 1.5 * len(runners)), layout="constrained")
    for axes, runner in zip(
        np.atleast_1d(result.subplots(len(runners), 1, sharex=True)), runners, strict=True
    ):
        score = rows[rows.runner == runner].pivot_table(index="member", columns=POINT, values="score")
        if (0, 30) not in score:
            axes.set_title(f"{runner}: the usual setting did not converge", fontsize=9, loc="left")
            continue
        less = score.sub(score[(0, 30)], axis=0)
        at = np.arange(less.shape[1])
        axes.errorbar(at, less.loc[0], less.iloc[1:].std().fillna(0), fmt="o", capsize=3, color="#0072B2")
        axes.axhline(0, color="#777777", linewidth=0.8)
        axes.set_title(runner, fontsize=9, loc="left")
        axes.set_xticks(at, [f"{step:+g}\n{height:g} mm" for step, height in less.columns], fontsize=8)
        axes.grid(alpha=0.25)
    result.supylabel("score less that of the usual setting; low is good", fontsize=9)
    return result


if __name__ == "__main__":
    draw(figure, "cohort.png")
