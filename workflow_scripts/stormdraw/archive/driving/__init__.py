"""The driving models, a file each: `DRIVING`, a `stormdraw.archive.driving_model.DrivingModel`."""
