"""Forecasts scored against the reports of weather stations."""
