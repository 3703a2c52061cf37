"""How many jobs Slurm gets from a run: groups of short ones count once."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

# What rules say of those that are made together for each case.
_RULE = re.compile(r"^( *)rule (\w+):\n(.*?)(?=^ *rule |\Z)", re.MULTILINE | re.DOTALL)
_OF_A_CASE = re.compile(r'^ +group:\s+"case_{init}"', re.MULTILINE)
_HERE = re.compile(r"^ +localrule:", re.MULTILINE)


def submissions(jobs: Mapping[str, int], profile: Path, rules: Path, cases: int) -> int:
    """At most so many, of the `jobs` by rule, for a run of `cases` cases.

    `profile` is Slurm's `config.yaml`; `rules` is the folder of the rule files. Fetching stays
    where Snakemake runs.
    """
    given = yaml.safe_load(profile.read_text(encoding="utf-8"))
    group_of, size_of = _pairs(given.get("groups")), _pairs(given.get("group-components"))
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(rules.glob("*.smk")))
    bodies = {name: body for _, name, body in _RULE.findall(text)}
    alone, of_cases = 0, 0
    grouped: Counter[str] = Counter()
    for rule, count in jobs.items():
        body = bodies.get(rule, "")
        if rule in group_of:
            grouped[group_of[rule]] += count
        elif _OF_A_CASE.search(body):
            of_cases += count
        elif not _HERE.search(body):
            alone += count
    together = sum(-(-count // int(size_of.get(name, 1))) for name, count in grouped.items())
    return alone + together + min(of_cases, cases)


def _pairs(given: Any) -> dict[str, str]:
    """`[a=b, c=d]` as a dictionary."""
    return dict(pair.split("=") for pair in given or [])
