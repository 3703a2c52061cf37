"""Memory and cost of a training: planned, measured, and at the configured rates."""

from collections.abc import Mapping
from typing import Any

from stormdraw.report.settings import Report
from stormdraw.report.trainings import Training
from stormdraw.report.wording import size_text

_SECONDS_PER_HOUR = 3600.0


def memory_rows(plan: Mapping[str, Any], training: Training) -> list[tuple[str, str]]:
    """(label, value) pairs: the planned peak memory, the measured one, and their ratio."""
    planned = _planned_peak(plan, training)
    measured = training.peak_memory_bytes
    rows = []
    if planned is not None:
        rows.append(("memory planned", size_text(planned)))
    if measured is not None:
        rows.append(("memory measured, at most", size_text(measured)))
    if planned and measured:
        rows.append(("measured / planned", f"{100 * measured / planned:.0f} %"))
    return rows


def _planned_peak(plan: Mapping[str, Any], training: Training) -> float | None:
    """The planned peak of what was measured: the device's memory, or the process's on a CPU."""
    peaks = plan.get("training_bytes") or {}
    on_cpu = training.device is None or "CPU" in training.device
    key = "peak" if on_cpu or "device_peak" not in peaks else "device_peak"
    return float(peaks[key]) if key in peaks else None


def cost_rows(training: Training, report: Report) -> list[tuple[str, str]]:
    """(label, value) pairs: device-hours, and their price and energy at the configured rates."""
    if training.seconds is None:
        return []
    hours = training.seconds / _SECONDS_PER_HOUR
    rows = [("device-hours to train", f"{hours:.3g}")]
    if report.cost_per_device_hour is not None:
        price = f"{hours * report.cost_per_device_hour:,.2f} {report.currency}"
        rate = f"{report.cost_per_device_hour:g} {report.currency} a device-hour"
        rows.append(("price of training", f"{price} at {rate}"))
    if report.device_watts is not None:
        energy = f"{hours * report.device_watts / 1000.0:.3g} kWh"
        rows.append(("energy of training", f"{energy} at {report.device_watts:g} W"))
    if len(rows) == 1:
        unset = "set report.cost_per_device_hour or report.device_watts to see it"
        rows.append(("price or energy", unset))
    return rows
