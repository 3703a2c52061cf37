"""Scores, figures, metrics and plans, turned into a page that people read."""
