"""Forecasts: the newest cycle, found and drawn with trained models, and its page."""
