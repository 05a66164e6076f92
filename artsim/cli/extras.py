"""What a command needs that a plain install does not bring."""

from __future__ import annotations

from importlib.util import find_spec

from artsim.errors import UsageError

TRAINING_PACKAGES = ("tensorflow", "tf2onnx", "mlflow", "psutil")


def needs_train_extra() -> None:
    """Tell what to install, before anything is done.

    Raises:
        UsageError: a package that training needs is not there.
    """
    missing = [name for name in TRAINING_PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(f'{", ".join(missing)} not installed: pip install "artsim[train]".')


def needs_spark_extra() -> None:
    """Tell what to install, before anything is done.

    Raises:
        UsageError: Spark is not there.
    """
    if find_spec("pyspark") is None:
        raise UsageError('pyspark not installed: pip install "artsim[spark]".')
