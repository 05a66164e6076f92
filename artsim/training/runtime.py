"""Start of TensorFlow, without its messages about the machine."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from artsim.files import stderr_to
from artsim.machine import check_address_space, core_limit

LEAST_ADDRESS_SPACE = 5 * 2**30  # bytes. With 4 GB, TensorFlow 2.21 crashes when it traces a graph


def start_tensorflow() -> None:
    """Import TensorFlow and Keras quietly. Call this before importing a module that imports either.

    Both read their environment variables when they are first imported. Variables that the user has set are kept. While
    TensorFlow 2.21.0 loads, it writes to the file descriptor of stderr at any log level.
    """
    check_address_space(LEAST_ADDRESS_SPACE, "TensorFlow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no start-up messages; errors are raised as exceptions anyway
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    # TensorFlow turns oneDNN on by itself only where the CPU has AVX512-VNNI. Without it, features of a pretrained
    # network take 1.3 times as long, and a tuning 1.2 times: see benchmarks/onednn.py.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    if (cores := core_limit()) is not None:  # TensorFlow starts a thread for each core of the machine
        for kind in ("INTRAOP", "INTEROP"):
            os.environ.setdefault(f"TF_NUM_{kind}_THREADS", str(cores))
    with _stderr_discarded():
        import keras  # noqa: F401 - it writes messages too
        import tensorflow
    tensorflow.get_logger().setLevel("ERROR")


@contextmanager
def _stderr_discarded() -> Iterator[None]:
    """Discard what the block writes to file descriptor 2. If the block fails, print it."""
    with tempfile.TemporaryFile() as output:
        try:
            with stderr_to(output):
                yield
        except BaseException:
            output.seek(0)
            with os.fdopen(os.dup(2), "wb") as stderr:
                shutil.copyfileobj(output, stderr)
            raise
