"""The local page of `artsim ui`: requests and their limits. `jobs/ui.py` has its answers."""
