"""What the page says of the scores that other people's libraries made of the same files."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from stormdraw.report.embedded import data_uri
from stormdraw.report.wording import plural
from stormdraw.scores.check.agreement import TOLERANCE, read_check

# Where a check that begins with GRIB2 starts from, and all others, begin so.
_GRIB, _BY_CFGRIB = "GRIB2", r"cfgrib [^,]+"
_ALL = "all"


@dataclass(frozen=True)
class SecondOpinion:
    """Sentences, and the table of both values as a data URI."""

    sentences: list[str]
    table: Markup


def second_opinion(path: Path | None) -> SecondOpinion | None:
    """What `results/scores/check.csv` says; None without the file."""
    if path is None:
        return None
    table = read_check(path)
    known = table[table["metric"] != "points"]
    sentences = [_main(known), *_samples(known), *_starts(known), *_empty(table, known)]
    return SecondOpinion(sentences, data_uri(path.read_text("utf-8"), "text/csv;charset=utf-8"))


def _main(known: pd.DataFrame) -> str:
    if known.empty:
        return "A second opinion: none."
    by_cfgrib = known["starts_from"].str.extract(f"({_BY_CFGRIB})")[0].dropna()
    libraries = sorted({*known["library"], *by_cfgrib})
    systems = plural(known["system"].nunique(), "system")
    return (
        f"A second opinion: {len(known):,} numbers of {systems}, one "
        f"case each, by {', '.join(libraries[:-1])} and {libraries[-1]}; largest relative "
        f"difference {known['relative_difference'].max():.1g}, of at most {TOLERANCE:g}."
    )


def _samples(known: pd.DataFrame) -> list[str]:
    """Of which systems not all fields were checked."""
    some = known[known["sample"] != _ALL].drop_duplicates("system")
    return [
        f"Of {system}, {sample} (a variable at a lead), chosen by the seed."
        for system, sample in zip(some["system"], some["sample"], strict=True)
    ]


def _starts(known: pd.DataFrame) -> list[str]:
    """Of which variables the truth was not taken from GRIB2."""
    others = known[~known["starts_from"].str.startswith(_GRIB)]
    return [
        f"For {', '.join(dict.fromkeys(of_start['variable']))} it starts from {start}."
        for start, of_start in others.groupby("starts_from", sort=True)
    ]


def _empty(table: pd.DataFrame, known: pd.DataFrame) -> list[str]:
    lacking = sorted(set(table["system"]) - set(known["system"]))
    if not lacking:
        return []
    return [f"The chosen case of {', '.join(lacking)} has no point to compare."]
