"""Profiles name what rules need: a rule that asks for a GPU must be sent where one is."""

import re
from pathlib import Path

import yaml


def test_rules_that_ask_for_a_gpu_have_a_partition(root: Path) -> None:
    rules = "".join(path.read_text() for path in sorted((root / "rules").rglob("*.smk")))
    named = r"^\s*(?:rule|use rule (\w+) as) (\w+)(?: with)?:$"
    parts = re.split(named, rules, flags=re.MULTILINE)
    asking: set[str] = set()
    for source, name, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        # Without resources of its own, a rule asks for those of the rule that it uses.
        inherits = source in asking and "resources:" not in body
        if inherits or re.search(r"^\s+gpu=", body, flags=re.MULTILINE):
            asking.add(name)
    assert {"models_train", "ensembles_calibrate"} <= asking
    profile = yaml.safe_load((root / "profiles" / "slurm" / "config.yaml").read_text())
    assert set(profile["set-resources"]) == asking
    assert {told["slurm_partition"] for told in profile["set-resources"].values()} == {"gpu"}
