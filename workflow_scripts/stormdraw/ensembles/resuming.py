"""Keeps the members drawn so far if a sampling job is killed."""

import contextlib
import logging
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import xarray as xr

from stormdraw.provenance import digest, digest_of_file

logger = logging.getLogger(__name__)

_BLOCK = "members_{first:04d}_{last:04d}.nc"


@contextlib.contextmanager
def resuming(output: Path, made_with: Any, inputs: Iterable[Path]) -> Iterator[Path]:
    """Yield the folder that keeps blocks of members of `output` until it is written.

    Snakemake deletes declared outputs before it makes them again, so the folder is not declared:
    `<name of the output>.resume/<key>` beside the output. The key is a digest of `made_with`
    (settings and code, anything JSON can represent) and of the bytes of `inputs`, so members drawn
    otherwise are never reused; their folder is deleted. So is this one at the end of the block,
    unless the block raises.
    """
    of_output = output.with_suffix(".resume")
    folder = of_output / digest([made_with, [digest_of_file(path) for path in inputs]])
    for other in of_output.glob("*"):
        if other != folder:
            shutil.rmtree(other)
    folder.mkdir(parents=True, exist_ok=True)
    for unfinished in folder.glob(".*.partial*"):
        unfinished.unlink()
    yield folder
    shutil.rmtree(of_output)


def block_path(folder: Path, members: range) -> Path:
    """The file of members drawn together: an ensemble file of only these."""
    return folder / _BLOCK.format(first=members[0], last=members[-1])


def drawn_before(folder: Path) -> dict[Path, list[int]]:
    """The existing block files with their members; unreadable ones are deleted."""
    drawn: dict[Path, list[int]] = {}
    for path in sorted(folder.glob("members_*.nc")):
        try:
            with xr.open_dataset(path, engine="netcdf4") as block:
                drawn[path] = block["member"].values.tolist()
        except (OSError, KeyError):
            logger.warning("%s cannot be read; its members are drawn again", path)
            path.unlink()
    return drawn


def blocks_to_draw(wanted: range, drawn: Iterable[int], size: int) -> list[range]:
    """The members not drawn yet, in consecutive blocks of at most `size`."""
    done = set(drawn)
    blocks: list[range] = []
    for member in wanted:
        if member in done:
            continue
        last = blocks[-1] if blocks else range(0)
        if len(last) and last.stop == member and len(last) < size:
            blocks[-1] = range(last.start, member + 1)
        else:
            blocks.append(range(member, member + 1))
    return blocks
