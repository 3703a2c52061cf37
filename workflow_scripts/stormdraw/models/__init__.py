"""From fields and a model's configuration to a plan and a trained checkpoint."""
