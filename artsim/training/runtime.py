"""Starting TensorFlow without its remarks on the machine."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


def start_tensorflow() -> None:
    """Import TensorFlow quietly; to be called before a module that imports it.

    While it is loaded it writes to the file descriptor of stderr, whatever its log level says.
    """
    with _stderr_held_back():
        import keras  # noqa: F401 - it has remarks of its own
        import tensorflow
    tensorflow.get_logger().setLevel("ERROR")


@contextmanager
def _stderr_held_back() -> Iterator[None]:
    """Keep what is written to descriptor 2, and let it out only if the block fails."""
    sys.stderr.flush()
    real = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            with os.fdopen(os.dup(real), "wb") as out:
                shutil.copyfileobj(held, out)
            raise
        finally:
            os.dup2(real, 2)
            os.close(real)
