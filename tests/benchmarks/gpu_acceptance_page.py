"""docs/gpu.md from what gpu_acceptance.py found."""

from collections.abc import Mapping
from typing import Any

from benchmarks.timing import table

# Samples a second, or what else the original project wrote of a training, and on what.
ORIGINAL: dict[str, tuple[float | None, str]] = {
    "ddpm_ultra_minimal": (3.3, "3.3 samples/s, 81,111 parameters (RTX 4090)"),
    "ddpm_small": (2.8, "2.8 samples/s, 180,799 parameters (RTX 4090)"),
    "ddpm_medium": (1.5, "1.5 samples/s, 50 M at a quarter of the grid (RTX 4090)"),
    "gnn": (8 / 2.0, "8 samples in 2.0 s eager, 0.3 compiled, 0.15 with all (A100)"),
    "cnn_transformer": (None, "20 to 30 % from compiling (T4)"),
    "cnn_transformer_small": (None, ""),
    "ddpm_11m": (None, "out of memory"),
    "ddpm_28m": (None, "out of memory"),
    "ddpm_50m": (None, "out of memory"),
    "ddpm_111m": (None, "out of memory"),
}
_FASTER = 5


def page(found: Mapping[str, Any]) -> str:
    """The whole page; `found` is what docs/gpu.json holds."""
    heading = (
        "# On a GPU\n\nWritten by `make gpu-acceptance` on one GPU. It begins nothing after eight\n"
        "minutes and needs no network. Numbers are in `gpu.json` as well.\n"
    )
    return "\n".join([heading, *(_measured(found) if found["measured"] else _not_measured(found))])


def _not_measured(found: Mapping[str, Any]) -> list[str]:
    parts = ("training", "members", "resuming", "drawing", "loading")
    results = [result for part in parts for result in found[part].values()]
    failed = sum("failed" in result for result in results)
    return [
        f"**Not measured**: there was no GPU ({found['date']}, {_versions(found)}). The same\n"
        f"measurements ran on the CPU on grids of 48 x 64 points, with fewer models and\n"
        f"samplers, to see that they run: {len(results)}, of which {failed} failed.\n",
        table(
            ["model", "here", "the original"],
            [[name, "not measured", text] for name, (_, text) in ORIGINAL.items()],
        ),
        f"The goals on a GPU like an H100: {_FASTER} times the original's samples a second,\n"
        "and that what ran out of memory trains within 24 GB.\n",
    ]


def _versions(found: Mapping[str, Any]) -> str:
    return f"torch {found['torch']}, Python {found['python']}"


def _measured(found: Mapping[str, Any]) -> list[str]:
    return [
        f"{found['date']}, {found['device']} of {found['bytes'] / 1e9:.0f} GB, driver "
        f"{found['driver']}, CUDA {found['cuda']}, {_versions(found)}.\n",
        "## Training\n\nSteps of one sample in bfloat16 on random states in memory, each\n"
        "configuration on its grid. A plan is right if the peak is within it.\n",
        _trainings(found["training"]),
        goals(found["training"]),
        "## Members\n\nThe same two members drawn here and on the CPU, in float32: the largest\n"
        "difference, in standard deviations of the members.\n",
        _limits(found["members"]),
        "## Resuming\n\nA training that is stopped on the GPU, goes on on the CPU, is stopped\n"
        "and ends on the GPU, beside one on the CPU alone: the largest relative difference of an\n"
        "epoch's loss.\n",
        _limits(found["resuming"]),
        "## Drawing\n\nSeconds of one member for one hour, with an untrained network.\n",
        table(
            ["sampler", "seconds"],
            [[name, _number(row, "seconds")] for name, row in found["drawing"].items()],
        ),
        "## Reading\n\nA training from a file of eight whole states, with a small network.\n",
        table(
            ["", "samples/s", "share of time that the GPU was busy"],
            [
                [name, _number(row, "samples_a_second"), _number(row, "gpu_utilisation")]
                for name, row in found["loading"].items()
            ],
        ),
        "Scores are computed on CPUs only.\n",
    ]


def _trainings(rows: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [
        [
            what,
            _number(row, "samples_a_second"),
            _number(row, "peak", 1e9),
            _number(row, "planned", 1e9),
            ORIGINAL[what.split(",")[0]][1],
        ]
        for what, row in rows.items()
    ]
    return table(["model", "samples/s", "peak GB", "planned GB", "the original"], lines)


def goals(trainings: Mapping[str, Mapping[str, Any]]) -> str:
    """Which goals are reached: five times the original's rate, and 24 GB for what did not fit."""
    lines = []
    for name, (rate, original) in ORIGINAL.items():
        rows = [row for what, row in trainings.items() if what.startswith(f"{name},")]
        best = max((row.get("samples_a_second", 0.0) for row in rows), default=0.0)
        if rate is not None:
            verdict = "reached" if best >= _FASTER * rate else "missed"
            lines.append([name, f"{_FASTER} x {rate:g} samples/s", f"{best / rate:.1f} x", verdict])
        elif original == "out of memory":
            fits = "failed" not in trainings.get(f"{name}, eager, 24 GB", {"failed": ""})
            verdict = "reached" if fits else "missed"
            lines.append([name, "trains in 24 GB", "yes" if fits else "no", verdict])
    return table(["model", "goal", "found", ""], lines)


def _limits(rows: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [
        [
            what,
            _number(row, "largest"),
            _number(row, "limit"),
            "" if "failed" in row else "good" if row["largest"] <= row["limit"] else "too far",
        ]
        for what, row in rows.items()
    ]
    return table(["", "largest", "limit", ""], lines)


def _number(row: Mapping[str, Any], key: str, unit: float = 1.0) -> str:
    if "failed" in row:
        return str(row["failed"])
    return "not measured" if row.get(key) is None else f"{row[key] / unit:.3g}"
