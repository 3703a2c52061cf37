"""What Slurm gets, counted by hand."""

import yaml

from stormdraw.costs.submissions import submissions

RULES = """
rule fetch:
    localrule: True
    script:
        "fetch.py"

rule convert:
    script:
        "convert.py"

if True:

    rule take:
        group:
            "case_{init}"
        script:
            "take.py"

    rule train:
        script:
            "train.py"

rule score:
    group:
        "case_{init}"
    script:
        "score.py"
"""
PROFILE = {"groups": ["convert=days"], "group-components": ["days=4"]}


def test_days_go_by_the_profile_cases_by_their_rules_and_fetching_not_at_all(tmp_path):
    (tmp_path / "some.smk").write_text(RULES)
    profile = tmp_path / "config.yaml"
    profile.write_text(yaml.safe_dump(PROFILE))
    jobs = {"fetch": 9, "convert": 9, "take": 6, "score": 9, "train": 2}
    # 9 days in threes of at most 4; 3 cases; 2 trainings.
    assert submissions(jobs, profile, tmp_path, cases=3) == 3 + 3 + 2
    # With two jobs left there are at most two cases.
    assert submissions({"score": 2}, profile, tmp_path, cases=3) == 2
    profile.write_text("{}")
    assert submissions(jobs, profile, tmp_path, cases=3) == 9 + 3 + 2


def test_the_profile_groups_rules_that_there_are(root):
    rules = "".join(path.read_text() for path in (root / "rules").glob("*.smk"))
    given = yaml.safe_load((root / "profiles" / "slurm" / "config.yaml").read_text())
    grouped = dict(pair.split("=") for pair in given["groups"])
    assert all(f"rule {name}:" in rules for name in grouped)
    sized = {pair.split("=")[0] for pair in given["group-components"]}
    assert sized == {*grouped.values(), "case_{init}"}
    assert 'group:\n        "case_{init}"' in rules
