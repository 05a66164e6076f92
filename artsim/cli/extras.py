"""Checks that the packages of an optional extra are installed."""

from __future__ import annotations

from importlib.util import find_spec

from artsim.errors import UsageError

TRAINING_PACKAGES = ("tensorflow", "tf2onnx", "mlflow", "psutil")


def needs_train_extra() -> None:
    """Check that the packages for training are installed.

    Raises:
        UsageError: one is not installed.
    """
    _needs("train", *TRAINING_PACKAGES)


def needs_mlflow_extra() -> None:
    """Check that MLflow is installed.

    Raises:
        UsageError: it is not installed.
    """
    _needs("mlflow", "mlflow")


def needs_sweep_extra() -> None:
    """Check that the packages for sweeps are installed.

    Raises:
        UsageError: one is not installed.
    """
    _needs("train,sweep", *TRAINING_PACKAGES, "optuna")


def needs_spark_extra() -> None:
    """Check that Spark is installed.

    Raises:
        UsageError: it is not installed.
    """
    _needs("spark", "pyspark")


def needs_ui_extra() -> None:
    """Check that the packages of the page are installed.

    Raises:
        UsageError: one is not installed.
    """
    _needs("ui", "starlette", "uvicorn", "python_multipart")


def _needs(extra: str, *packages: str) -> None:
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise UsageError(f'{", ".join(missing)} not installed. Run: pip install "artsim[{extra}]"')
