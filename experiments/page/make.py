"""Write the runner that the page shows before anything is solved: sim/bladerun/app/page/example.json.

Takes the stride of experiments/first-fit.toml on what is worn today:
    bladerun run experiments/first-fit.toml
    python experiments/page/make.py runs/first-fit/stride.nc
"""

import argparse
import json
from importlib import resources
from pathlib import Path

from bladerun import read_stride
from bladerun._lib.files import atomic
from bladerun.app._portrait import portrait
from bladerun.app._view import scene
from bladerun.dataset.asked import person_of, task_of


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the page's example runner.")
    parser.add_argument("stride", type=Path, help="what `bladerun run experiments/first-fit.toml` wrote")
    stride = read_stride(parser.parse_args().stride)
    if stride.attrs["status"] != "converged":
        raise SystemExit("this stride has not converged")
    runner, amputation, _ = person_of(stride)
    document = {
        "runner": {"mass_kg": runner.mass_kg, "height_m": runner.height_m},
        "amputation": {"side": amputation.side},
        "task": {"speed_m_s": task_of(stride).speed_m_s},
    }
    content = {"document": document, "scene": scene(portrait(stride))}
    with atomic(str(resources.files("bladerun.app") / "page" / "example.json")) as tmp:
        tmp.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
