"""Prints what a run came to, and where it lies: `make demo` ends with it."""

import sys
from pathlib import Path

from stormdraw.scores.headline import headline, headline_text
from stormdraw.scores.summary import read_summary
from stormdraw.settings import load_settings, load_yaml

if __name__ == "__main__":
    configuration = Path(sys.argv[1])
    results = Path("results")
    reference = load_settings(load_yaml(configuration), configuration).scores.reference
    summary = read_summary(results / "scores" / "summary.csv")
    print(headline_text(headline(summary, reference), reference))
    for name, path in {
        "Scorecard": results / "report" / "scorecard.html",
        "All scores": results / "scores" / "summary.csv",
        "Snakemake's report": results / "report.zip",
    }.items():
        print(f"{name + ':':<20}{path.resolve()}")
