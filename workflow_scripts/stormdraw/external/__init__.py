"""Ensembles and analyses that others made: their files, whatever their layout, as fields on grids.

Settings say where the files are and how they are laid out (`settings`); `reading` opens them.
"""
