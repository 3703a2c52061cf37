"""Models that were trained elsewhere: their checkpoints are found, fetched and checked."""

import json
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

import requests

from stormdraw.archive.session import PatientSession
from stormdraw.archive.transfer import Answer
from stormdraw.errors import StormdrawError
from stormdraw.files import replacing, write_text
from stormdraw.model_entries import GivenModel
from stormdraw.models.driving import driven_by, require_driving
from stormdraw.models.header import FORMAT, Header, require_lead
from stormdraw.models.settings import ModelSettings
from stormdraw.provenance import digest, digest_of_file
from stormdraw.settings import Settings

logger = logging.getLogger(__name__)

# Fetched checkpoints, and what each checkpoint says of itself: reading that needs torch, and
# Snakemake reads the configuration often.
_KEPT = Path("results/.cache/checkpoints")


@dataclass(frozen=True)
class GivenCheckpoint:
    """A checkpoint as a file on this machine, with its hash and what it says of itself."""

    path: Path
    sha256: str
    header: Header


def given_checkpoint(entry: GivenModel) -> GivenCheckpoint:
    """The checkpoint of an entry of the list `models`; one behind an address is fetched once.

    Raises StormdrawError if it is not there, cannot be read, or has another hash than the entry
    says.
    """
    origin = f"models: {entry.name}: {entry.checkpoint}"
    path = _fetched(entry, origin) if entry.over_the_network else _found(entry, origin)
    found = path.stat()
    key = [str(path.resolve()), found.st_size, found.st_mtime_ns, FORMAT]
    known = _KEPT / f"{digest(key)}.json"
    if not known.exists():
        _look_into(path, origin, known)
    content = json.loads(known.read_text(encoding="utf-8"))
    _require_hash(content["sha256"], entry, origin)
    return GivenCheckpoint(path, content["sha256"], Header(origin, content["header"]))


def own_checkpoint(model: str) -> Path:
    """Where a run has the checkpoint of a model."""
    return Path("results/models") / model / "model.pt"


def is_own(entry: GivenModel) -> bool:
    """Whether the checkpoint of an entry is where the run has it: it need not be taken in."""
    path = given_checkpoint(entry).path
    return path.resolve() == own_checkpoint(entry.name).resolve()


def given_settings(entry: GivenModel, run: Settings) -> ModelSettings:
    """The settings of a given model, as its training left them, with its forecaster in this run.

    Raises StormdrawError if it does not fit the run.
    """
    header = given_checkpoint(entry).header
    own = header.settings
    if is_own(entry) and not run.cycle:
        raise StormdrawError(
            f"{header.origin}: is what this run would write itself; run in another folder "
            "(--directory), or give the model another name"
        )
    _require_fit(header, own, run)
    if entry.forecaster is not None and own.target != "perturbed_state":
        raise StormdrawError(
            f"{header.origin}: has no forecaster, since its target is {own.target}; remove the key"
        )
    return own.model_copy(update={"forecaster": entry.forecaster or own.forecaster})


def take(entry: GivenModel, output: Path) -> None:
    """Copy the checkpoint of an entry to `output`.

    Raises StormdrawError if the copy has another hash.
    """
    given = given_checkpoint(entry)
    with replacing(output) as temporary:
        shutil.copyfile(given.path, temporary)
        if digest_of_file(temporary) != given.sha256:
            raise StormdrawError(
                f"{given.header.origin}: changed while it was read; run the same command again"
            )


def _require_fit(header: Header, own: ModelSettings, run: Settings) -> None:
    """Raise StormdrawError if a checkpoint is for other variables, drivers, data or leads."""
    or_else = "take another checkpoint"
    header.require_roles(run.roles, f"give `variables` as in its training, or {or_else}")
    require_driving(own, driven_by(run), header.origin, or_else)
    learnt = header.record.get("archive", {}).get("model")
    if learnt is not None and learnt != run.archive.model:
        raise StormdrawError(
            f"{header.origin}: learnt from {learnt}, but archive.model is {run.archive.model}; "
            "take a checkpoint of that model, or change archive.model"
        )
    require_lead(header.longest_lead, max(run.leads), f"{header.origin}:", or_else)


def _found(entry: GivenModel, origin: str) -> Path:
    """The file of an entry: itself, or that of the model in the folder of another run."""
    given = Path(entry.checkpoint).expanduser()
    of_run = Path("models") / entry.name / "model.pt"
    tried = [given, given / "model.pt", given / of_run, given / "results" / of_run]
    path = next((path for path in tried if path.is_file()), None)
    if path is None:
        raise StormdrawError(
            f"{origin}: is neither a file nor the folder of a run that has {of_run}; give a "
            "model.pt, or the folder of a run that has trained a model of this name"
        )
    return path


def _fetched(entry: GivenModel, origin: str) -> Path:
    """The file behind an address, by its hash."""
    path = _KEPT / f"{entry.sha256}.pt"
    if path.exists():
        return path
    logger.warning("fetching %s", entry.checkpoint)
    with replacing(path) as temporary:
        try:
            with (
                PatientSession() as session,
                session.get(
                    entry.checkpoint, headers={"Accept-Encoding": "identity"}, stream=True
                ) as answer,
                open(temporary, "wb") as stream,
            ):
                answer.raise_for_status()
                stream.writelines(Answer(answer).parts())
        except requests.RequestException as error:
            raise StormdrawError(
                f"{origin}: cannot be fetched ({' '.join(str(error).split())}); check the address, "
                "or give a file"
            ) from None
        _require_hash(digest_of_file(temporary), entry, origin)
    return path


def _require_hash(found: str, entry: GivenModel, origin: str) -> None:
    if entry.sha256 not in (None, found):
        raise StormdrawError(
            f"{origin}: has the SHA-256 {found}, but the configuration says {entry.sha256}; it is "
            "another file, or damaged"
        )


def _look_into(path: Path, origin: str, known: Path) -> None:
    """Write what a checkpoint says of itself, and its hash, to the file `known`."""
    header = read_header(path, origin)
    content = {"sha256": digest_of_file(path), "header": dict(header.content)}
    write_text(known, json.dumps(content))


def read_header(path: Path, origin: str) -> Header:
    """What a checkpoint says of itself, and its number of `parameters`.

    Raises StormdrawError if it cannot be read.
    """
    # Imported here, since torch takes seconds to load.
    from stormdraw.models.checkpoint import read_checkpoint

    content = read_checkpoint(path, "take another one", origin)
    weights = content.pop("state_dict")
    parameters = sum(each.numel() for each in weights.values())
    return Header(origin, {**content, "parameters": parameters})
