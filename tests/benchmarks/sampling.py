"""What members cost, and how well they score for it: writes docs/sampling-benchmark.md and .svg.

    python tests/benchmarks/sampling.py PAGE [--run FOLDER] [--parts FOLDER]

Wants the demo's fields, its perfect ensembles and trained ddpm_residual and crps_unet in
FOLDER/results (`make benchmark-sampling` makes them). Each part is measured in a process of its own
and kept as JSON in the folder of parts; one that is there is not measured again.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow_scripts"))

from sampling_pages import draw_chart, write_page
from sampling_quality import WAYS

from stormdraw.settings import load_settings, load_yaml
from stormdraw.times import format_init

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
CONFIG = ROOT / "config" / "demo.yaml"

# The 1000-step sampler pays for few cases only; ways of few evaluations have more as well.
FEW = {"members": 4, "cases": 2}
MORE = {"members": 10, "cases": 5}
CHEAP = 8

# Configurations of all families that forecast: whose pass is measured, and whose is only planned,
# since it takes minutes or more memory than this kind of machine has.
MEASURED = (
    "ddpm_residual",
    "crps_unet_large",
    "transformer_small",
    "cnn_transformer_small",
)
PLANNED = ("ddpm_11m", "ddpm_111m", "transformer_90m", "cnn_transformer", "gnn")


def measured(parts: Path, name: str, script: str, *arguments: str, threads: int = 1) -> Any:
    """What a script says, once."""
    path = parts / f"{name}.json"
    if not path.exists():
        print(f"measuring {name}", file=sys.stderr, flush=True)
        run = subprocess.run(
            [sys.executable, str(HERE / script), *arguments],
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        path.write_text(run.stdout.splitlines()[-1])
    return json.loads(path.read_text())


def measure_quality(parts: Path, run: Path, which: str) -> list[Any]:
    """Scores of all ways, of few or of more cases; None for one that is too dear."""
    how = FEW if which == "few" else MORE
    options = [word for key, value in how.items() for word in (f"--{key}", str(value))]
    return [
        measured(
            parts,
            f"quality_{which}_{index}",
            "sampling_quality.py",
            *(str(run), str(CONFIG), str(index), *options),
        )
        if which == "few" or way.steps <= CHEAP
        else None
        for index, way in enumerate(WAYS)
    ]


def measure_costs(parts: Path) -> dict[str, Any]:
    """Everything at the full grid."""
    threads = os.cpu_count() or 1
    # An evaluation costs the same in any number of a sampler's steps.
    samplers = {way.sampler: index for index, way in enumerate(WAYS)}
    each = {
        sampler: measured(parts, f"cost_{index}", "sampling_cost.py", str(index), threads=threads)
        for sampler, index in samplers.items()
    }
    return {
        "ways": [each[way.sampler] for way in WAYS],
        "passes": {
            name: measured(parts, f"{how}_{name}", "sampling_cost.py", how, name, threads=threads)
            for how, names in (("pass", MEASURED), ("plan", PLANNED))
            for name in names
        },
        "speed": measured(parts, "speed", "sampling_storage.py", "speed"),
    }


def main() -> None:
    """Measure what is not measured yet and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path, nargs="?")
    parser.add_argument("--run", type=Path, default=ROOT)
    parser.add_argument("--parts", type=Path, default=ROOT / "results/.cache/sampling-benchmark")
    parser.add_argument("--needed", action="store_true", help="print the files of the run it needs")
    parser.add_argument("--only", choices=("quality", "costs"), help="measure this and no more")
    options = parser.parse_args()
    if options.needed:
        inits = load_settings(load_yaml(CONFIG)).initial_times()
        perfect = [f"results/ensembles/perfect/{format_init(init)}.nc" for init in inits]
        models = [f"results/models/{name}/model.pt" for name in ("ddpm_residual", "crps_unet")]
        print(*models, *perfect)
        return
    options.parts.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {}
    if options.only != "costs":
        found["few"] = measure_quality(options.parts, options.run, "few")
        found["more"] = measure_quality(options.parts, options.run, "more")
        run = (str(options.run), str(CONFIG))
        found["error"] = measured(options.parts, "error", "sampling_storage.py", "error", *run)
        found["tiles"] = measured(options.parts, "tiles", "sampling_tiles.py", *run)
    if options.only != "quality":
        found |= measure_costs(options.parts)
    if options.page and options.only is None:
        draw_chart(found, options.page.with_suffix(".svg"))
        write_page(found, options.page)


if __name__ == "__main__":
    main()
