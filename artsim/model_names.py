"""The file that the name of a model means, and `artsim.load`.

A name is an .onnx file, the folder of a model, or, in MLflow, `models:/NAME@ALIAS`, `models:/NAME/VERSION`,
`models:/MODEL_ID`, `runs:/RUN_ID` or `runs:/RUN_ID/MODEL`. MLflow is imported for the last kinds only.
"""

from __future__ import annotations

import os
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from artsim.errors import UsageError
from artsim.images import MAX_PIXELS
from artsim.scoring.device import Device
from artsim.scoring.scorer import Scorer
from artsim.scoring.scorer import load as load_file
from artsim.scoring.tower_folder import tower_in
from artsim.towers import BASE

SCHEMES = ("models:/", "runs:/")


def load(
    model: str | os.PathLike[str] = BASE,
    device: Device = "auto",
    *,
    batch_size: int | None = None,
    max_pixels: int = MAX_PIXELS,
    threads: int | None = None,
) -> Scorer:
    """Open an ONNX tower for scoring.

    >>> import artsim
    >>> scorer = artsim.load("tower.onnx")
    >>> scorer
    <artsim.Scorer tower.onnx: recipe 'compact', images of 16 px, embeddings (N, 8), CPUExecutionProvider, batch size 4,
    threshold 0.75, 1 with a cohort>

    Args:
        model: the .onnx file that `artsim train` or `artsim export` wrote, the folder of a model, or a model in MLflow:
            `models:/artsim@champion` or `runs:/RUN_ID`. The default is the tower that comes with artsim.
        device: `cpu`, `cuda`, or `auto` for CUDA if it works here and else the CPU.
        batch_size: the number of images that go through the tower at once, 1 to 1024; a smaller batch is filled up.
            The default is 4 on the CPU and 64 on CUDA. The last bits of an embedding can depend on the batch size.
        max_pixels: an image with more pixels is refused before it is decoded.
        threads: the number of CPU threads of the tower; the default is one for each physical core.

    Raises:
        ModelError: the file does not exist, or is not a tower that this artsim supports.
        DeviceError: `device` is `cuda`, and CUDA does not work here.
        UsageError: `device` or `batch_size` has an invalid value, or MLflow is needed and not installed.
        TrackingError: MLflow's store cannot be reached.
    """
    return load_file(tower_file(model), device, batch_size=batch_size, max_pixels=max_pixels, threads=threads)


def is_tracked(model: str | os.PathLike[str]) -> bool:
    """Whether a name means a model in MLflow."""
    return os.fspath(model).startswith(SCHEMES)


def tower_file(model: str | os.PathLike[str]) -> Path:
    """The ONNX file of a model; a model in MLflow is downloaded to the user's cache.

    Raises:
        ModelError: a folder or a model in MLflow has no tower. A file that does not exist is noticed when it is opened.
        UsageError: MLflow is needed and not installed.
        TrackingError: MLflow's store cannot be reached.
    """
    if not is_tracked(model):
        path = Path(model)
        with suppress(OSError):  # a name that the system refuses: opening the tower tells why
            if path.is_dir():
                return tower_in(path)
        return path
    if find_spec("mlflow") is None:
        name = os.fspath(model)
        raise UsageError(f'{name} is in MLflow, and mlflow is not installed. Run: pip install "artsim[mlflow]"')
    from artsim.tracking.resolver import cached_tower

    return cached_tower(os.fspath(model))
