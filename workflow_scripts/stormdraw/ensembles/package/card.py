"""The README.md of a package: a model card as Hugging Face has them."""

from collections.abc import Mapping
from typing import Any

from stormdraw import __version__
from stormdraw.grids import Grid
from stormdraw.models.checkpoint import TrainedModel
from stormdraw.models.in_words import grid_in_words, method_in_words, period_in_words
from stormdraw.variables import variable

_CARD = """\
---
license: mit
library_name: pytorch
tags: [weather, ensemble, nowcasting, {family}]
---

# {name}

Forecasts of an ensemble, hour by hour, from the state of a kilometre-scale weather model. Written
by stormdraw {version}. It needs torch and NumPy only, and loading it runs no code but `predict.py`.

## Use

```python
from predict import Model
model = Model()
members = model.predict(state, time, members={members}, hours={hours})
```

`state` maps names to fields in float32, with rows from south to north on the grid of `latitude` and
`longitude` in `fields.npz`; `time` is a `datetime` in UTC. `members["{first}"]` is {drawn}.

| variable | what | units | given | forecast |
|---|---|---|---|---|
{variables}

{history}Missing points are refused. `predict(..., seed=...)` draws other members.

## Model

| | |
|---|---|
| method | {method} |
| family | {family}, {parameters:,} weights |
| forcings | {forcings} |
| members as those of | system {system}, seed {seed} |
| settings | {settings_hash}, whole in `model.json` |

## Training

| | |
|---|---|
| training | {training} |
| validation | {validation} |
| epochs | {epochs} |
| loss in training, last epoch | {train_loss} |
| loss in validation, last epoch | {validation_loss} |
{of_variables}

The loss is `{loss}`, in units of the model's standardised target. How its forecasts compare with
the truth and with other systems is in the scorecard of the run, which is no part of this package.

## Grid

{grid}; `{crs}`. The programs are for this grid only.

## Limits

It knows the weather of its training period and region, and of nothing beyond its edges. Values
stay within physical bounds, but a forecast may be wrong; do not use it for decisions on safety.
Calibration of the run's systems, if there was any, is not part of it.

## Licence and citation

MIT, as stormdraw. Data of other owners, on which it was trained, have their own terms.

> The stormdraw authors (2026): stormdraw: from HRRR GRIB to a scored storm-scale ensemble, version
> {version}.
"""


def model_card(
    trained: TrainedModel,
    grid: Grid,
    about: Mapping[str, Any],
    metrics: Mapping[str, Any],
    periods: Mapping[str, Any],
) -> str:
    """The card of a model; `metrics` is the content of metrics.json."""
    settings = trained.model.settings
    last = (metrics.get("epochs") or [{}])[-1]
    by_chance = about["by_chance"]
    return _CARD.format(
        version=__version__,
        family=settings.family,
        name=trained.name,
        members=10 if by_chance else 1,
        hours=about["longest_lead"] or 12,
        first=about["variables"][0],
        drawn="(member, hour, y, x)" if by_chance else "(1, hour, y, x): the model has no members",
        variables="\n".join(_row(name, about) for name in {**about["units"]}),
        history=_history(about),
        method=method_in_words(settings),
        parameters=sum(each.numel() for each in trained.model.network.parameters()),
        forcings=", ".join(about["forcings"]) or "none",
        system=about["how"]["system"],
        seed=about["seed"],
        settings_hash=about["settings_hash"],
        training=period_in_words(periods.get("training")),
        validation=period_in_words(periods.get("validation")),
        epochs=len(metrics.get("epochs", [])),
        train_loss=_number(last.get("train_loss")),
        validation_loss=_number(last.get("validation_loss")),
        of_variables="\n".join(
            f"| loss in training of {name}, last epoch | {_number(loss)} |"
            for name, loss in last.get("train_loss_by_variable", {}).items()
        ),
        loss=settings.loss.kind,
        grid=grid_in_words(grid),
        crs=grid.crs,
    )


def _row(name: str, about: Mapping[str, Any]) -> str:
    given = "yes" if name in (*about["predicted"], *about["inputs"]) else "no"
    forecast = "yes" if name in about["variables"] else "no"
    row = variable(name)
    return f"| {name} | {row.long_name} | {row.units} | {given} | {forecast} |"


def _history(about: Mapping[str, Any]) -> str:
    if about["history"] == 1:
        return "Each field is (y, x). "
    inputs = f", but {', '.join(about['inputs'])} (y, x)" if about["inputs"] else ""
    return f"Each field is ({about['history']}, y, x), hourly, the oldest first{inputs}. "


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
