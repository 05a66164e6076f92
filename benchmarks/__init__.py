"""Benchmarks of artsim. Each module states its command, its expected result, the hardware and the date."""
