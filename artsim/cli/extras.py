"""Checks for the packages of optional extras."""

from __future__ import annotations

from importlib.util import find_spec

from artsim.errors import UsageError

TRAINING_PACKAGES = ("tensorflow", "tf2onnx", "mlflow", "psutil")


def needs_train_extra() -> None:
    """Check for the packages that training needs, before any work.

    Raises:
        UsageError: one of them is not installed.
    """
    missing = [name for name in TRAINING_PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(f'{", ".join(missing)} not installed: pip install "artsim[train]".')


def needs_spark_extra() -> None:
    """Check for Spark, before any work.

    Raises:
        UsageError: it is not installed.
    """
    if find_spec("pyspark") is None:
        raise UsageError('pyspark not installed: pip install "artsim[spark]".')
