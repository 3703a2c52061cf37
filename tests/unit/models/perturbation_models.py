"""The smallest perturbation model, and forecasters that it can be for."""

from typing import Any

from stormdraw.models.settings import ModelSettings


def perturbation_settings(training: dict[str, Any] | None = None, **changes: Any) -> ModelSettings:
    """Of the forecaster `steady`; predicts noise, as in the paper."""
    return ModelSettings.model_validate(
        {
            "family": "conditional_unet",
            "network": {"base_channels": 8},
            "prediction": "noise",
            "target": "perturbed_state",
            "forecaster": "steady",
            "noise_schedule": {"largest_beta": 0.02},
            "training": {
                "epochs": 2,
                "batch_size": 2,
                "accumulation": 2,
                "checkpoint_every_epochs": 1,
                **(training or {}),
            },
            **changes,
        }
    )


def forecaster_settings(history: int = 1, **changes: Any) -> ModelSettings:
    """A deterministic model, of several hourly states if asked for."""
    frames = {
        "family": "cnn_transformer",
        "network": {"channels": [32, 32], "frames": history, "layers": 1},
    }
    graph = {"family": "gnn", "network": {"latent": 8, "layers": 1}}
    return ModelSettings.model_validate(
        {
            **(graph if history == 1 else frames),
            "prediction": "target",
            "target": "residual",
            "history": history,
            "forcings": ["hour_of_day"],
            "training": {"epochs": 1},
            **changes,
        }
    )
