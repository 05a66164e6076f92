"""Training of towers: networks, data and the training loop. Only this package and export/ import TensorFlow."""
