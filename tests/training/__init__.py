"""TensorFlow is started as artsim starts it, before the modules here import it."""

from artsim.training.runtime import start_tensorflow

start_tensorflow()
