"""Threads of a worker: pytest-xdist has one worker for each core, so more threads only get in each other's way."""

import os

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")

if "PYTEST_XDIST_WORKER" in os.environ:  # before NumPy or TensorFlow reads them
    os.environ.update(dict.fromkeys(THREADS, "1"))
