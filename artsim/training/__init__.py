"""Towers, losses, batches and the fit loop. TensorFlow lives here and in export/."""
