"""Before a run: its costs, and whether this machine is ready for it."""
