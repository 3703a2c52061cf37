"""From the arrival of a forecast's last file to its products on the demo's grid, and where it goes.

    python tests/benchmarks/forecast.py MODEL

MODEL is the demo's `results/models/crps_demo/model.pt`. The forecast has 50 members and 6 hours,
of which the first is drawn and shown first. A job's own seconds are those of its benchmark file;
what is left is Snakemake's and each process's start.
"""

import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import yaml
from timing import hardware, table

ROOT = Path(__file__).parents[2]
CYCLE = "2026060806"


def configuration(model: Path) -> dict[str, object]:
    """The demo's, without what only a study needs."""
    demo = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())
    (system,) = [one for one in demo["ensembles"]["systems"] if one["name"] == "crps_demo"]
    world = {"since": "2026-06-08T00:00", "now": "2026-06-08T07:00"}
    return {
        "title": "A timed forecast",
        "seed": demo["seed"],
        "leads": [1, 2, 3, 4, 5, 6],
        "cases": {"history": demo["cases"]["history"]},
        "archive": {"source": "simulated", "simulated": world},
        "models": [{"name": "crps_demo", "checkpoint": str(model.resolve())}],
        "ensembles": {"members": demo["ensembles"]["members"], "systems": [system]},
        "forecast": {
            "first_leads": [1],
            "places": {"Wichita": {"latitude": 37.69, "longitude": -97.34}},
        },
    }


def newest(paths: Iterable[Path]) -> float:
    """When the last of these files was written."""
    return max(path.stat().st_mtime for path in paths)


def report(folder: Path) -> str:
    """What a finished forecast in this folder says, in Markdown."""
    made = folder / "results" / "forecasts"
    arrived = newest(made.glob("archive/*/*/manifest.csv"))
    own = made / CYCLE
    marks = {
        "the first hour's products": newest((own / "hours_001_001").glob("*.nc")),
        "its page": newest([own / "hours_001_001" / "index.html"]),
        "the last member of the last hour": newest(made.glob(f"ensembles/*/{CYCLE}.nc")),
        "all products": newest(own.glob("*.nc")),
        "the page of all": newest([own / "index.html"]),
    }
    jobs = []
    for path in folder.glob(f"results/benchmarks/**/{CYCLE}.tsv"):
        stage = path.relative_to(folder / "results" / "benchmarks").parts[0]
        (of_job,) = csv.DictReader(path.open(), delimiter="\t")
        end, seconds = path.stat().st_mtime, float(of_job["s"])
        if end > arrived and stage != "archive_fetch":
            jobs.append((end - seconds - arrived, end - arrived, stage, of_job["cpu_time"]))
    times = [[name, f"{time - arrived:.0f}"] for name, time in marks.items()]
    rows = [
        [stage, f"{start:.0f}", f"{end:.0f}", f"{float(processor):.0f}"]
        for start, end, stage, processor in sorted(jobs)
    ]
    return (
        table(["from the last file's arrival to", "s"], times)
        + "\n"
        + table(["job", "begins at s", "ends at s", "processor s"], rows)
    )


def main(model: str) -> None:
    with tempfile.TemporaryDirectory(prefix="stormdraw-forecast-") as name:
        folder = Path(name)
        config = folder / "forecast.yaml"
        config.write_text(yaml.safe_dump(configuration(Path(model))))
        command = [sys.executable, "-m", "snakemake", "forecast", "--cores", "2"]
        command += ["--directory", name, "--configfile", str(config)]
        subprocess.run([*command, "--config", f"cycle={CYCLE}"], cwd=ROOT, check=True)
        load = " ".join(f"{one:.0f}" for one in os.getloadavg())
        print(f"{hardware()} Load at the end: {load}.\n\n{report(folder)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
