"""Trains any model: from the day files to `model.pt`."""

import contextlib
import hashlib
import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import Callback, TQDMProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.plugins.environments import LightningEnvironment

from stormdraw.errors import MemoryRanOutError, StormdrawError
from stormdraw.fields.states import read_grid_of
from stormdraw.fields.statistics import Statistics, read_statistics
from stormdraw.models.accumulation import Windows, count_epochs
from stormdraw.models.augmentation import Augmenter
from stormdraw.models.average import AveragedWeights
from stormdraw.models.batches import Delivery, OrderedBatches, ShuffledBatches
from stormdraw.models.checkpoint import save_model
from stormdraw.models.devices import (
    choose_device,
    describe_device,
    lightning_precision,
    multiplication_precision,
    uses_channels_last,
)
from stormdraw.models.engine import TrainingModule
from stormdraw.models.execution import (
    compile_network,
    explained_compilation,
    recompute_activations,
)
from stormdraw.models.finite_losses import CheckLosses
from stormdraw.models.forecast_pairs import ForecastPairs
from stormdraw.models.forecaster import Forecaster
from stormdraw.models.forecasters import make_forecaster
from stormdraw.models.header import record_of
from stormdraw.models.memory import validated_at_once
from stormdraw.models.metrics import MetricsFile
from stormdraw.models.pairs import Pairs
from stormdraw.models.ranks import Ranks, present_ranks
from stormdraw.models.resuming import (
    FirstRankWrites,
    SaveForResuming,
    TrainingStoppedError,
    signal_handlers_restored,
)
from stormdraw.models.rollout_schedule import RolloutSchedule
from stormdraw.models.settings import ModelSettings
from stormdraw.models.sharding import gathered, shard
from stormdraw.models.training_data import fields_among_forcings, training_data
from stormdraw.models.training_files import TrainingFiles
from stormdraw.models.training_settings import Training
from stormdraw.models.watching import RecordMetrics, StopEarly, WarnOfGrowth
from stormdraw.roles import Roles
from stormdraw.seeds import seed_for
from stormdraw.settings import Settings

logger = logging.getLogger(__name__)


def train(
    name: str,
    settings: Settings,
    model_settings: ModelSettings,
    files: TrainingFiles,
    threads: int = 1,
) -> None:
    """Train the model called `name` on the training period and write its checkpoint.

    Each of several ranks calls this function (see launch.py). An interrupted training resumes.
    Raises StormdrawError for data it cannot learn from or a loss that is not a number,
    MemoryRanOutError for lack of memory, and KeyboardInterrupt after a signal.
    """
    ranks = present_ranks()
    torch.set_num_threads(max(1, threads // model_settings.training.devices))
    device = choose_device(ranks.device)
    if ranks.is_first:
        logger.info("training %s on %s", name, describe_device(device, ranks.count))
    statistics = read_statistics(files.statistics)
    if statistics.variables != settings.roles.every:
        raise StormdrawError(
            f"{files.statistics}: made for {', '.join(statistics.variables)}, but the "
            f"configuration's variables are {', '.join(settings.roles.every)}; delete it"
        )
    grid = read_grid_of(files.fields[0])
    model = new_model(name, settings.seed, model_settings, statistics, device, settings.roles)
    pairs, validation = training_data(settings, model, files, grid, device)
    resume = files.resume_folder / f"{_fingerprint(statistics, pairs, model)}.ckpt"
    augmentation = model_settings.training.augmentation
    augmenter = None
    if augmentation is not None:
        forced = fields_among_forcings(model, pairs.forcings.driving)
        augmenter = Augmenter(augmentation, statistics, model.roles, forced)
    _fit(name, settings.seed, model, augmenter, pairs, validation, files, resume, device, ranks)
    if not ranks.is_first:
        return
    terrain = pairs.forcings.terrain
    heights = None if terrain is None else (terrain.mean, terrain.std)
    driving = pairs.forcings.driving
    known = None if driving is None else driving.statistics
    longest = pairs.longest_lead if pairs.forcings.by_lead else None
    record = record_of(settings, json.loads(files.metrics.read_text(encoding="utf-8")))
    save_model(files.model, name, model, statistics, heights, grid, known, longest, record)
    # This includes files of a larger training that did not fit.
    for left in files.resume_folder.glob("*.ckpt"):
        left.unlink()


def new_model(
    name: str,
    run_seed: int,
    settings: ModelSettings,
    statistics: Statistics,
    device: torch.device | None = None,
    roles: Roles | None = None,
) -> Forecaster:
    """An untrained model, whose initial weights depend only on the run's seed and the name.

    It is on the CPU, in the memory layout for training on `device`. `roles` are those of the run's
    variables, by default all predicted.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(run_seed, name, "weights"))
        model = make_forecaster(settings, statistics, roles)
    if uses_channels_last(settings.training.channels_last, device or torch.device("cpu")):
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


def _fit(
    name: str,
    run_seed: int,
    model: Forecaster,
    augmenter: Augmenter | None,
    pairs: Pairs,
    validation: Pairs | None,
    files: TrainingFiles,
    resume: Path,
    device: torch.device,
    ranks: Ranks,
) -> None:
    """Train the model in place; on the first rank it ends with the whole averaged weights."""
    training = model.settings.training
    epochs, steps = count_epochs(model.settings, len(pairs))
    recompute_activations(model.network, training.activation_checkpointing)
    if training.sharding == "full" and ranks.count > 1:
        shard(model.network.to(device), ranks, device)
    compile_network(model.network, training.compile)
    device_name = describe_device(device, ranks.count)
    heading = {
        "model": name,
        "parameters": sum(weights.numel() for weights in model.parameters()),
        "training_pairs": len(pairs),
        "device": device_name,
    }
    average = AveragedWeights(training.ema_decay)
    record = RecordMetrics(
        *(MetricsFile(files.metrics, heading), model.loss_names, device_name, ranks),
        laws=model.law_names,
    )
    callbacks = [CheckLosses(name, model), average, record, WarnOfGrowth()]
    callbacks.append(SaveForResuming(resume, training.checkpoint_every_epochs, ranks))
    if training.early_stopping_epochs is not None:
        callbacks.append(StopEarly(training.early_stopping_epochs, record))
    delivery = Delivery(training.prefetch_batches, device.type == "cuda", ranks)
    validated = validated_at_once(model.settings, pairs.shape)
    with _quiet_lightning():
        trainer = _trainer(training, epochs, callbacks, files, device, ranks)
        windows = Windows.of(training, len(pairs))
        module = TrainingModule(model, training, name, run_seed, steps, windows, ranks, augmenter)
        if resume.exists() and ranks.is_first:
            logger.info("resuming from %s", resume)
        with (
            multiplication_precision(training.precision, device),
            signal_handlers_restored(),
            _explained_failures(name, training),
            explained_compilation(name, training.compile),
        ):
            trainer.fit(
                module,
                ShuffledBatches(
                    pairs,
                    training.batch_size,
                    run_seed,
                    name,
                    training.crop,
                    training.samples_per_state,
                    training.buffer_states,
                    delivery,
                    model.network.context,
                    RolloutSchedule(training, windows, steps),
                ),
                validation and OrderedBatches(validation, validated, delivery),
                ckpt_path=str(resume) if resume.exists() else None,
                weights_only=True,
            )
        average.copy_to(module)
        if training.sharding == "full" and ranks.count > 1:
            _make_whole(model, ranks)


def _trainer(
    training: Training,
    epochs: int,
    callbacks: list[Callback],
    files: TrainingFiles,
    device: torch.device,
    ranks: Ranks,
) -> lightning.Trainer:
    """Lightning's trainer on this rank's device; it does not know about other ranks."""
    # Only a terminal gets a progress bar; a log file gets one line per epoch.
    on_terminal = sys.stderr.isatty() and ranks.is_first
    if on_terminal:
        callbacks = [*callbacks, TQDMProgressBar(refresh_rate=10)]
    log = TensorBoardLogger(str(files.tensorboard_folder), name="", version="")
    return lightning.Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=[device.index or 0] if device.type == "cuda" else 1,
        # A cluster's environment variables describe the job, in which this training may be one of
        # several.
        plugins=[LightningEnvironment(), FirstRankWrites(ranks)],
        precision=lightning_precision(training.precision, device),
        max_epochs=epochs,
        accumulate_grad_batches=training.accumulation,
        logger=log if ranks.is_first else False,
        callbacks=callbacks,
        default_root_dir=str(files.resume_folder),
        enable_model_summary=False,
        enable_progress_bar=on_terminal,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
        use_distributed_sampler=False,
    )


def _make_whole(model: Forecaster, ranks: Ranks) -> None:
    """Replace sharded weights by whole ones on the first rank; all ranks must call it."""
    whole = gathered(dict(model.named_parameters()), ranks)
    for name, weights in whole.items():
        owner, _, own_name = name.rpartition(".")
        setattr(model.get_submodule(owner), own_name, torch.nn.Parameter(weights))


@contextlib.contextmanager
def _explained_failures(name: str, training: Training) -> Iterator[None]:
    """Turn an interruption into KeyboardInterrupt and lack of memory into MemoryRanOutError."""
    try:
        yield
    except TrainingStoppedError:
        raise KeyboardInterrupt from None
    except RuntimeError as error:
        if not _is_out_of_memory(error):
            raise
        raise MemoryRanOutError(
            f"model {name}: not enough memory to train with batch_size {training.batch_size}"
        ) from None


def _is_out_of_memory(error: RuntimeError) -> bool:
    # These messages come from the CPU and from libraries that allocate GPU memory of their own.
    said = ("can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
    return isinstance(error, torch.OutOfMemoryError) or any(each in str(error) for each in said)


@contextlib.contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Hide Lightning's advice on loaders and devices, which is not for the user."""
    chatty = logging.getLogger("lightning.pytorch")
    level = chatty.level
    chatty.setLevel(logging.ERROR)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\..*")
            yield
    finally:
        chatty.setLevel(level)


def _fingerprint(statistics: Statistics, pairs: Pairs, model: Forecaster) -> str:
    """A short hash of data and network, so that a training never resumes with others."""
    sizes = [(name, tuple(weights.shape)) for name, weights in model.named_parameters()]
    digest = hashlib.sha256(repr((statistics.variables, pairs.times, sizes)).encode())
    for values in (statistics.mean, statistics.std, statistics.tendency_std):
        digest.update(values.tobytes())
    if isinstance(pairs, ForecastPairs):
        digest.update(pairs.forecaster.fingerprint().encode())
    if model.roles.differ:
        digest.update(f"{model.roles} to {pairs.longest_lead} h".encode())
    driving = pairs.forcings.driving
    if driving is not None:
        known = driving.statistics.to_dict()
        digest.update(f"{model.settings.driven_by} {known} to {pairs.longest_lead} h".encode())
    return digest.hexdigest()[:16]
