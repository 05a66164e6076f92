"""Towers, losses, batches and the fit loop. TensorFlow lives here and in export/.

TensorFlow reads its settings when it is first imported, so they are made here, above every module that does.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # its start-up chatter; errors still come as exceptions
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
