"""Quiet start of TensorFlow, for benchmarks that import it at their top. They import this module before all others."""

from artsim.training.runtime import start_tensorflow

start_tensorflow()
