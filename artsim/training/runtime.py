"""Starting TensorFlow without its remarks on the machine."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from artsim.files import stderr_to


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
    with tempfile.TemporaryFile() as held:
        try:
            with stderr_to(held):
                yield
        except BaseException:
            held.seek(0)
            with os.fdopen(os.dup(2), "wb") as out:
                shutil.copyfileobj(held, out)
            raise
