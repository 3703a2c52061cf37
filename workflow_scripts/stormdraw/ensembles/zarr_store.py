"""A Zarr store that grows by whole cases, in the order of their initial times.

Readers see as many cases as the metadata at the root of the store say, `zarr.json`, which has the
metadata of all arrays in it. A case is written elsewhere, its files are moved to a place that these
do not count yet, and then they are replaced, which is one renaming of a file. A case that is made
again is hidden before its files are replaced, with those after it. What a killed job was doing is
written down before, and the next job completes it.

    zarr.json, {array}/zarr.json, {array}/c/...     the store
    .cases/{init}.json      the cases that are done (declared to Snakemake)
    .cases/waiting/{init}/  whole cases, each a store of its own, until those before are there
    .cases/moving.json      the case whose files are being moved
    .cases/lock             held by the job that changes the store
"""

import contextlib
import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from stormdraw.ensembles.zarr_case import LAYOUT
from stormdraw.errors import StormdrawError
from stormdraw.files import flush, replacing_folder, scratch, write_text
from stormdraw.times import format_init, hours, parse_init

_METADATA = "zarr.json"
_CASES = ".cases"
# The coordinates that are written anew with every case.
_TIMES = ("init_time", "valid_time")
_START = datetime(1970, 1, 1)

_Metadata = dict[str, Any]


@contextlib.contextmanager
def waiting_case(store: Path, init: str) -> Iterator[Path]:
    """Yield an empty folder for a case; if the block succeeds, it waits for `add_case`."""
    with replacing_folder(_waiting(store, init)) as folder:
        yield folder
        for path in folder.rglob("*"):
            if path.is_file():
                flush(path)


def add_case(store: Path, init: str, inits: Sequence[str]) -> None:
    """Put a case that waits into the store, and others that wait for it.

    `inits` are the initial times of the run (YYYYMMDDHH) in the order of the store: a case waits
    until those before it are there, and one with an earlier time than the last follows it. A case
    that is there is replaced. The first case of another layout or of other settings removes all
    cases of the old one. Raises StormdrawError if the file system has no locks.
    """
    with _locked(store):
        _complete(store)
        layout = _layout(_waiting(store, init))
        if layout is None:
            # Another job has taken it along.
            return
        if _layout(store) != layout:
            _clear(store)
        there = _cases_in(store)
        if init in there:
            _move(store, init, there)
        wanted = inits if init in inits else [*inits, init]
        while (following := _next(store, wanted, layout)) is not None:
            _move(store, following, [*_cases_in(store), following])


def _waiting(store: Path, init: str) -> Path:
    return store / _CASES / "waiting" / init


@contextlib.contextmanager
def _locked(store: Path) -> Iterator[None]:
    """Wait until no other job changes the store. The lock of a process that dies is released."""
    with open(store / _CASES / "lock", "w") as lock:
        try:
            # Unlike flock, these locks are known to all nodes of a cluster.
            fcntl.lockf(lock, fcntl.LOCK_EX)
        except OSError as error:
            raise StormdrawError(
                f"{store}: its file system has no locks ({error.strerror}), and jobs of several "
                "cases write there; move the folder `results` to another disk, or set "
                "ensembles.export to none"
            ) from None
        yield


def _complete(store: Path) -> None:
    """Move the rest of the files that a killed job was moving."""
    moving = store / _CASES / "moving.json"
    if moving.exists():
        _move(store, **json.loads(moving.read_text(encoding="utf-8")))


def _clear(store: Path) -> None:
    """Remove all cases of the store, which is none to readers from the first step on."""
    (store / _METADATA).unlink(missing_ok=True)
    for path in store.iterdir():
        if path.name != _CASES:
            shutil.rmtree(path)
    for done in (store / _CASES).glob("[0-9]*.json"):
        done.unlink()


def _next(store: Path, inits: Sequence[str], layout: str) -> str | None:
    """The first case that the store lacks, if it waits."""
    there = set(_cases_in(store))
    following = next((init for init in inits if init not in there), "")
    return following if following and _layout(_waiting(store, following)) == layout else None


def _move(store: Path, init: str, inits: Sequence[str]) -> None:
    """Move the files of a case to its place among `inits`, which readers then see.

    Any step may have been done before.
    """
    moving = store / _CASES / "moving.json"
    write_text(moving, json.dumps({"init": init, "inits": list(inits)}))
    case, place = _waiting(store, init), inits.index(init)
    metadata = _metadata(store)
    if metadata is None:
        metadata = _metadata(case)
    elif place < _length(metadata):
        _show(store, metadata, place)
    if metadata is None:
        raise StormdrawError(f"{store}: parts of it are missing; delete it to make it again")
    for name, array in _arrays(metadata).items():
        if not _grows(array):
            if not (store / name).exists():
                _replace(case / name, store / name)
        elif name not in _TIMES:
            _replace(case / name / "c" / "0", store / name / "c" / str(place))
    _write_times(store, metadata, inits)
    _show(store, metadata, len(inits))
    shutil.rmtree(case, ignore_errors=True)
    moving.unlink()


def _replace(source: Path, target: Path) -> None:
    """Move a folder, unless that has been done."""
    if source.exists():
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)


def _show(store: Path, metadata: _Metadata, length: int) -> None:
    """Let readers see the first cases only.

    The root's metadata are the last to count a new case, and the first not to count one any more.
    Readers that go by the metadata of each array find contradictions in between, and fail.
    """
    before = _metadata(store)
    written = {}
    for name, array in _arrays(metadata).items():
        if _grows(array):
            array["shape"][0] = length
            written[store / name / _METADATA] = array
    written[store / _METADATA] = metadata
    shrinks = before is not None and length < _length(before)
    for path, content in sorted(written.items(), reverse=shrinks, key=_depth):
        write_text(path, json.dumps(content, indent=1))


def _depth(written: tuple[Path, Any]) -> int:
    """Sorts the root's metadata after those of arrays."""
    return -len(written[0].parts)


def _write_times(store: Path, metadata: _Metadata, inits: Sequence[str]) -> None:
    """Write the times of all cases; of those that readers do not see yet as well."""
    times = np.array([_hours_since_1970(init) for init in inits])
    leads = np.asarray(zarr.open_array(store / "lead_time", mode="r")[:])
    for name, values in zip(_TIMES, (times, times[:, None] + leads), strict=True):
        with scratch(store / _CASES / name) as folder:
            array = {**_arrays(metadata)[name], "shape": list(values.shape)}
            (folder / _METADATA).write_text(json.dumps(array), encoding="utf-8")
            zarr.open_array(folder, mode="r+")[...] = values
            for path in folder.rglob("c/**/*"):
                if path.is_file():
                    flush(path)
                    target = store / name / path.relative_to(folder)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    path.replace(target)


def _hours_since_1970(init: str) -> int:
    return (parse_init(init) - _START) // hours(1)


def _cases_in(store: Path) -> list[str]:
    """The cases that readers see."""
    metadata = _metadata(store)
    if metadata is None:
        return []
    times = np.asarray(zarr.open_array(store / _TIMES[0], mode="r")[: _length(metadata)])
    return [format_init(_START + hours(int(time))) for time in times]


def _metadata(store: Path) -> _Metadata | None:
    """The metadata at the root of a store, with those of all arrays; None if it has none."""
    path = store / _METADATA
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _layout(store: Path) -> str | None:
    """What the cases of a store have in common; None without a store."""
    metadata = _metadata(store)
    return None if metadata is None else metadata["attributes"][LAYOUT]


def _arrays(metadata: _Metadata) -> Mapping[str, dict[str, Any]]:
    return metadata["consolidated_metadata"]["metadata"]


def _grows(array: Mapping[str, Any]) -> bool:
    return _TIMES[0] in array.get("dimension_names", ())


def _length(metadata: _Metadata) -> int:
    return _arrays(metadata)[_TIMES[0]]["shape"][0]
