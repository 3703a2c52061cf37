"""Plans and trains a model from fields and the model's configuration."""
