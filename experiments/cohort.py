"""The figure of the cohort study: each runner's best setting, and whether it can be told from the usual one.

Takes the folder that `bladerun sweep experiments/cohort.toml` wrote; gives cohort.png in it.
"""

import numpy as np
import pandas as pd
from _draw import draw
from matplotlib.figure import Figure

POINT = ["category_step", "height_mm"]
USUAL = (0, 30)


def figure(rows) -> Figure:
    """A row a runner: score of each setting less that of the recommended category at 30 mm; bars: 1 SD of the
    ensemble's paired differences."""
    runners = list(dict.fromkeys(rows.runner))
    settings = pd.MultiIndex.from_tuples(sorted(set(rows[POINT].itertuples(index=False, name=None))))
    labels = [f"{step:+g}\n{height:g} mm".replace("+0", "0") for step, height in settings]
    result = Figure(figsize=(7.5, 1.0 + 1.5 * len(runners)), layout="constrained")
    panels = np.atleast_1d(result.subplots(len(runners), 1, sharex=True))
    for axes, runner in zip(panels, runners, strict=True):
        score = rows[rows.runner == runner].pivot_table(index="member", columns=POINT, values="score")
        score = score.reindex(index=range(rows.member.max() + 1), columns=settings)
        axes.set_xticks(np.arange(len(settings)), labels, fontsize=8)
        if USUAL not in settings or np.isnan(score.loc[0, USUAL]):
            axes.set_title(f"{runner}: the usual setting did not converge", fontsize=9, loc="left")
            continue
        less = score.sub(score[USUAL], axis=0)
        spread = less.iloc[1:].std().fillna(0)
        axes.errorbar(np.arange(len(settings)), less.loc[0], spread, fmt="o", capsize=3, color="#0072B2")
        axes.axhline(0, color="#777777", linewidth=0.8)
        axes.set_title(runner, fontsize=9, loc="left")
        axes.grid(alpha=0.25)
    result.supxlabel("category, from recommended, and height; bars: 1 SD over uncertain facts", fontsize=9)
    result.supylabel("score less that of the usual setting; low is good", fontsize=9)
    return result


if __name__ == "__main__":
    draw(figure, "cohort.png")
