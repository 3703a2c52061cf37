"""Prints the main results of a run and where they are: the end of `make demo`."""

import sys
from pathlib import Path

from stormdraw.archive.truth_names import truth_sentences
from stormdraw.scores.against_perfect import against_perfect, against_perfect_text
from stormdraw.scores.headline import headline, headline_text
from stormdraw.scores.overall import overall_text, read_overall
from stormdraw.scores.stations.tables import ALL
from stormdraw.scores.summary import read_summary
from stormdraw.settings import load_settings, load_yaml

if __name__ == "__main__":
    configuration = Path(sys.argv[1])
    results = Path("results")
    settings = load_settings(load_yaml(configuration), configuration)
    reference, perfect = settings.scores.reference, settings.perfect_system()
    summary = read_summary(results / "scores" / "summary.csv")
    print(headline_text(headline(summary, reference), reference, truth_sentences(settings)))
    if reference is not None:
        compared = read_overall(results / "scores" / "overall.csv")
        print(overall_text(compared, reference, settings.scores))
    if settings.archive.stations is not None:
        summary_there = read_summary(results / "scores" / "stations.csv")
        of_all = headline(summary_there[summary_there["which"] == ALL], reference)
        print("At stations\n\n" + headline_text(of_all, reference, []))
    if perfect is not None:
        print(against_perfect_text(against_perfect(summary, perfect), perfect))
    for name, path in {
        "Scorecard": results / "report" / "scorecard.html",
        "Headline numbers": results / "report" / "headline.json",
        "All scores": results / "scores" / "summary.csv",
        "Snakemake's report": results / "report.zip",
    }.items():
        print(f"{name + ':':<20}{path.resolve()}")
