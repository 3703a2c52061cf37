"""The page and the chart of the sampling benchmark, from what was measured."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from sampling_cost import FULL_GRID, TIMED
from sampling_quality import WAYS
from timing import hardware, table

from stormdraw.files import replacing
from stormdraw.variables import DEFAULT_STATE, variable

MEMBERS, LEADS = 100, 3
# What an RTX 4090 has, the device that the original configurations are known from.
DEVICE_GIGABYTES = 24


def draw_chart(found: Mapping[str, Any], path: Path) -> None:
    """Quality against cost: the ratio to the perfect ensemble over evaluations of the network."""
    with mpl.rc_context({"svg.hashsalt": "stormdraw", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(7.0, 3.8), layout="constrained")
        axes = figure.add_subplot()
        for way, few in zip(WAYS, found["few"], strict=True):
            is_one_step = way.sampler is None
            x, y = few["evaluations"], few["mean_ratio"]
            axes.plot(x, y, "s" if is_one_step else "o", color="C1" if is_one_step else "C0")
            axes.annotate(
                way.name.replace(" (the default)", ""),
                (x, y),
                textcoords="offset points",
                **_beside(x),
            )
        axes.axhline(1.0, color="0.4", linewidth=0.8)
        axes.annotate("the perfect ensemble", (1.0, 1.0), (4, 3), textcoords="offset points")
        axes.set_xscale("log")
        axes.set_xlim(0.8, 2000)
        axes.set_ylim(bottom=0.95)
        axes.set_xlabel("evaluations of the network a member and hour")
        axes.set_ylabel("fair CRPS / that of the perfect ensemble")
        with replacing(path) as temporary:
            figure.savefig(temporary, format="svg", metadata={"Date": None})


def _beside(evaluations: float) -> dict[str, Any]:
    """Where a label has room: left of its point at the right end, else above it, askew."""
    if evaluations > 40:
        return {"xytext": (0, 8), "ha": "right"}
    return {"xytext": (6, 4), "ha": "left", "rotation": 35}


def write_page(found: Mapping[str, Any], path: Path) -> None:
    """All tables, and what they mean."""
    parts = [
        "# What members cost, and how well they score for it\n",
        f"Written by `make benchmark-sampling`. {hardware()}\n"
        f"Load from all work {os.getloadavg()[0]:.1f}. On a GPU: not measured.\n",
        _quality(found, path.with_suffix(".svg").name),
        _cost(found),
        _tiles(found),
        _storage(found),
    ]
    with replacing(path) as temporary:
        temporary.write_text("\n".join(parts), encoding="utf-8")


def _quality(found: Mapping[str, Any], chart: str) -> str:
    few, more = found["few"], found["more"]
    rows = [
        [
            way.name,
            f"{one['evaluations']:g}",
            f"{one['mean_ratio']:.3f}",
            "not measured" if all_cases is None else f"{all_cases['mean_ratio']:.3f}",
            *(f"{one['ratios'][name]:.2f}" for name in DEFAULT_STATE),
        ]
        for way, one, all_cases in zip(WAYS, few, more, strict=True)
    ]
    ancestral, fewest = few[0], few[2]
    fewer = ancestral["evaluations"] / fewest["evaluations"]
    gained = 100 * (fewest["mean_ratio"] / ancestral["mean_ratio"] - 1)
    all_five = next(one for one in more if one is not None)
    return f"""## Quality against evaluations

The demo's simulated world, one hour ahead. The ratio is that of the fair CRPS to the perfect
ensemble's, of 50 members; 1 is the best there is. It is the geometric mean over the variables, and
their own ratios stand beside it: of {few[0]["cases"]} cases and {few[0]["members"]} members, which
is all that the 1000 steps were given. `More` is of {all_five["cases"]} cases and
{all_five["members"]} members. Evaluations were counted at the network.

![Quality against evaluations]({chart})

{table(["way", "evaluations a member and hour", "ratio", "more", *DEFAULT_STATE], rows)}
DPM-Solver++ with {fewest["evaluations"]:g} evaluations, 1/{fewer:g} of the ancestral sampler's,
scores {abs(gained):.1f} % {"worse" if gained > 0 else "better"} than it, of so few cases.
"""


def _cost(found: Mapping[str, Any]) -> str:
    rows = [
        [
            way.name,
            f"{cost['seconds_an_evaluation']:.2f}",
            f"{one['evaluations']:g}",
            f"{cost['seconds_an_evaluation'] * one['evaluations']:,.0f}",
            f"{cost['peak'] / 1e9:.2f}",
        ]
        for way, cost, one in zip(WAYS, found["ways"], found["few"], strict=True)
    ]
    return f"""## Cost at the full grid

One member, one hour, {FULL_GRID[0]} x {FULL_GRID[1]} points, float32 on all cores. Of a sampler {
        TIMED
    }
steps were timed, the first not counted: the seconds of a member are those of an evaluation, the
sampler's own arithmetic included, times the evaluations, so extrapolated. DPM-Solver++ was timed
once. Peak memory is what the process held beyond weights and libraries.

{
        table(
            [
                "way",
                "s an evaluation",
                "evaluations",
                "s a member and hour",
                "peak GB",
            ],
            rows,
        )
    }
"""


def _tiles(found: Mapping[str, Any]) -> str:
    rows = [
        [
            name,
            f"{one['planned'] / 1e9:.2f}",
            "not measured" if one["peak"] is None else f"{one['peak'] / 1e9:.2f}",
            "not measured" if one["peak"] is None else f"{one['seconds']:.1f}",
        ]
        for name, one in found["passes"].items()
    ]
    largest = max(one["planned"] for one in found["passes"].values()) / 1e9
    verdict = "fits" if largest < DEVICE_GIGABYTES else "does not fit"
    tiles = found["tiles"]
    return f"""## Does a pass need tiles?

Peak memory of one member's pass over the full grid in float32, without weights: planned (as
`batch_gigabytes` counts it), and measured in the first pass of an untrained network.

{table(["model", "planned GB", "measured GB", "s"], rows)}
The most is {largest:.1f} GB: a pass over the whole grid {verdict} a device of
{DEVICE_GIGABYTES} GB, so there are no tiles. (`transformer_13b` has 53 GB of weights, which tiles
would not make smaller.)

Nor could they be equal to the whole. The U-Nets and `cnn_transformer` have group normalisation,
which takes its mean and variance over all points of the grid; `transformer` attends over all of
them, and `gnn` sends messages over a mesh of the whole domain. Measured with ddpm_residual on the
demo's grid, at points further from a tile's cut side than the convolutions see: the tile is off by
{tiles["with"]:.2g} standard deviations of the output; with the statistics of the norms taken out of
the network it is by {tiles["without"]:.2g}, so it is these alone. Tiles of a U-Net would need the
statistics of every norm from the whole grid first, a pass for each.
"""


def _storage(found: Mapping[str, Any]) -> str:
    errors, speed = found["error"], found["speed"]
    rows = [
        [
            name,
            f"{one['largest']:.4g}",
            f"{one['half_step']:g}",
            f"{one['largest'] / one['half_step']:.3f}",
            variable(name).units,
            f"{100 * one['crps_change']:+.5f} %",
        ]
        for name, one in errors.items()
    ]
    plain, packed = speed["float32"], speed["packed"]
    sizes = [
        [
            kind,
            f"{one['bytes_a_member'] * MEMBERS * LEADS / 1e9:.1f}",
            f"{1e3 * one['write_field']:.0f}",
            f"{1e3 * one['read_field']:.0f}",
        ]
        for kind, one in speed.items()
    ]
    sizes.append(
        [
            "packed / float32",
            *(
                f"{packed[key] / plain[key]:.2f}"
                for key in ("bytes_a_member", "write_field", "read_field")
            ),
        ]
    )
    return f"""## Storage in 16 bits

Largest difference from float32 over the members of one case, beside half the step in which the
archive's GRIB resolves the variable, and what it does to the fair CRPS.

{
        table(
            ["variable", "largest error", "half a GRIB step", "ratio", "unit", "change of CRPS"],
            rows,
        )
    }
{MEMBERS} members at {LEADS} leads of the full grid, seven variables and wind speed, computed from
the file of ten members at one lead; and milliseconds of writing a field and of reading one as the
scores do, fastest of several rounds, files in the page cache.

{table(["store", "GB", "ms to write a field", "ms to read a field"], sizes)}"""
