"""Reading batches from day files of the full grid, from a warm and a cold page cache.

    make benchmark-loading

Writes the Markdown page that it is given. Files, 2.3 GB, are made in a temporary folder, or in the
second argument, where they stay.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow_scripts"))

import stormdraw  # noqa: E402, F401  (before ecCodes; see its __init__)

from fields_data import state  # noqa: E402  isort: skip
from fields_store import STATES, TIMES, packed, write_days  # noqa: E402  isort: skip
from timing import hardware, table  # noqa: E402  isort: skip

from stormdraw.archive.base_models.hrrr import GRID as HRRR  # noqa: E402
from stormdraw.fields.states import StateReader  # noqa: E402
from stormdraw.grids import Window  # noqa: E402
from stormdraw.models.batches import ShuffledBatches  # noqa: E402
from stormdraw.models.forcings import make_forcings  # noqa: E402
from stormdraw.models.pairs import Pairs  # noqa: E402
from stormdraw.models.settings import load_model_settings  # noqa: E402
from stormdraw.variables import DEFAULT_STATE  # noqa: E402

MODELS = ("cnn_transformer", "crps_unet_large", "ddpm_small")
READERS = (1, 2, 4, 8)
BATCHES = 3
# Of whole states, of which a batch may have gigabytes.
WHOLE_BATCHES = 1


def make_files(folder: Path) -> dict[str, list[Path]]:
    """35 states in each store, unless they are there."""
    kinds = [packed(state(HRRR, seed)) for seed in range(3)]
    states = [kinds[hour % len(kinds)] for hour in range(STATES)]
    for store in ("fast", "compact"):
        if not (folder / store).exists():
            (folder / store).mkdir(parents=True)
            write_days(folder / store, states, store)
    return {store: sorted((folder / store).iterdir()) for store in ("fast", "compact")}


def forget(paths: list[Path]) -> None:
    """Have the page cache drop the files."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def seconds_a_batch(model: str, paths: list[Path], readers: int, cold: bool) -> float:
    """The median over some batches; the first one is not counted."""
    settings = load_model_settings(ROOT / "config" / "models" / f"{model}.yaml")
    training = settings.training
    pairs = Pairs(
        *(paths, DEFAULT_STATE, TIMES, make_forcings([], HRRR, None), 0.0),
        history=settings.history,
        readers=readers,
    )
    batches = ShuffledBatches(
        pairs, training.batch_size, 1, model, training.crop, training.samples_per_state
    )
    return _median(_endless(batches), paths, cold, BATCHES)


def seconds_as_whole_states(model: str, paths: list[Path], cold: bool) -> float:
    """The same batches as they were made before: whole states by one thread, then cut."""
    settings = load_model_settings(ROOT / "config" / "models" / f"{model}.yaml")
    training, hours = settings.training, settings.history + 1
    reader, random = StateReader(paths, DEFAULT_STATE), np.random.default_rng(1)
    rows, columns = training.crop or HRRR.shape

    def made() -> Iterator[np.ndarray]:
        while True:
            cut = []
            for _ in range(training.batch_size):
                window = _window(random, rows, columns)
                first = random.integers(STATES - hours)
                cut += [reader.read(time_)[:, *window] for time_ in TIMES[first : first + hours]]
            yield np.stack(cut)

    return _median(made(), paths, cold, WHOLE_BATCHES)


def _window(random: np.random.Generator, rows: int, columns: int) -> Window:
    top, left = (random.integers(HRRR.shape[k] - n + 1) for k, n in enumerate((rows, columns)))
    return slice(top, top + rows), slice(left, left + columns)


def _endless(batches: ShuffledBatches) -> Iterator[object]:
    while True:
        yield from batches


def _median(batches: Iterator[object], paths: list[Path], cold: bool, count: int) -> float:
    taken = []
    for _ in range(count + 1):
        if cold:
            forget(paths)
        start = time.perf_counter()
        next(batches)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken[1:]))


def described(model: str) -> str:
    settings = load_model_settings(ROOT / "config" / "models" / f"{model}.yaml")
    training = settings.training
    rows, columns = training.crop or HRRR.shape
    size = training.batch_size * (settings.history + 1) * 4 * len(DEFAULT_STATE) * rows * columns
    return (
        f"{model}: {training.batch_size} x {settings.history + 1} states of {rows} x {columns}, "
        f"{size / 1e6:.0f} MB"
    )


def report(files: dict[str, list[Path]]) -> str:
    rows = []
    for model in MODELS:
        for store, paths in files.items():
            for cold in (False, True):
                taken = [seconds_as_whole_states(model, paths, cold)] if store == "fast" else []
                taken += [seconds_a_batch(model, paths, readers, cold) for readers in READERS]
                shown = [f"{seconds:.2f}" for seconds in taken]
                cells = shown if store == "fast" else ["", *shown]
                rows.append([described(model), store, "cold" if cold else "warm", *cells])
                print(*rows[-1], flush=True)
    headings = ["a batch", "store", "page cache", "whole states, one thread"]
    return table([*headings, *(f"readers: {readers}" for readers in READERS)], rows)


def main() -> None:
    page, load = Path(sys.argv[1]), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="stormdraw_") as own:
        folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(own)
        measured = report(make_files(folder))
    after = os.getloadavg()[0]
    page.write_text(
        "# What reading a batch costs\n\n"
        "Written by `make benchmark-loading`. Seconds a batch of the full grid, 1059 x 1799\n"
        f"points, the median of {BATCHES}, of whole states of {WHOLE_BATCHES}. A cold page cache "
        "holds none of the files.\n\n"
        f"{hardware()} Load before and after: {load:.0f}, {after:.0f}.\n\n{measured}",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
