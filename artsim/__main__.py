"""`python -m artsim` is `artsim`."""

from artsim.cli.main import main

main()
