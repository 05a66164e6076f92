"""What artsim promises, measured: each module states its command, its expectation and the date."""
