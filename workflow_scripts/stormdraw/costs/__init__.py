"""Before a run: what it will cost, and whether this machine is ready for it."""
