"""The folder of a logged model: the pair scorer (pyfunc), and the tower (onnx), which share one file.

    MLmodel, requirements.txt, ...   written by MLflow
    artifacts/tower.onnx             the tower
    code/artsim                      artsim's scorer, as artsim is on no package index
    code/pair_model.py               what MLflow runs to load the model

`mlflow.onnx.load_model` gives the tower as an ONNX graph. `mlflow.pyfunc.load_model` gives the pair scorer.
"""

from __future__ import annotations

import base64
import io
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from PIL import Image

from artsim.scoring.contract import INPUT_NAME, OUTPUT_NAME
from artsim.scoring.session import read_card
from artsim.scoring.tower_folder import IN_LOGGED_MODEL
from artsim.towers import BASE
from artsim.tracking import pair_model
from artsim.tracking.pair_scorer import DEFAULT_CONFIG, TOWER

# The packages of artsim above `scoring`, but for tracking/ itself. A server takes each file by a request of its own.
LEFT_OUT = ("cli", "demo", "evaluation", "export", "jobs", "server", "sweeps", "training")
# What scoring needs, as pyproject.toml lists it. A test compares both.
NEEDED = (
    "click", "filelock", "imagehash", "jinja2", "mlflow", "numba", "numpy", "pandas", "pillow", "platformdirs",
    "pyarrow", "rich", "scikit-learn", "scipy", "threadpoolctl",
)  # fmt: skip
# One wheel or the other: they overwrite each other's files. By default MLflow adds onnxruntime to onnxruntime-gpu.
_GPU_PLATFORM = "platform_machine in 'x86_64 AMD64' and platform_system in 'Linux Windows'"
_OTHER_PLATFORM = "platform_machine not in 'x86_64 AMD64' or platform_system not in 'Linux Windows'"
_UV_VARIABLE = "MLFLOW_UV_AUTO_DETECT"
PAIR_SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec("string", "image1"), ColSpec("string", "image2")]),  # MLflow lets bytes pass as string
    outputs=Schema([
        ColSpec("float", "distance"),
        ColSpec("float", "probability"),
        ColSpec("double", "prediction"),  # a column of integers has no missing values
        ColSpec("string", "status"),
    ]),
    params=ParamSchema([ParamSpec("threshold", "double", None), ParamSpec("prior", "double", None)]),
)  # fmt: skip


def save_model_folder(folder: Path, tower: Path, model: Model, metadata: Mapping[str, str]) -> None:
    """Write the folder of a model, which does not exist yet.

    Args:
        folder: to write.
        tower: the ONNX file.
        model: MLflow's description, which is completed and written too.
        metadata: about the tower, for MLflow's page.

    Raises:
        ModelError: the file is not a tower.
        MlflowException: MLflow cannot save the model.
    """
    model.add_flavor(mlflow.onnx.FLAVOR_NAME, **_onnx_flavor(tower))
    with TemporaryDirectory(prefix="artsim-") as scratch, _without_uv_project():
        file = Path(scratch, Path(IN_LOGGED_MODEL).name)
        shutil.copyfile(tower, file)
        mlflow.pyfunc.save_model(
            folder,
            mlflow_model=model,
            python_model=pair_model.__file__,
            code_paths=[str(_copy_package(Path(scratch)))],
            artifacts={TOWER: str(file)},
            signature=PAIR_SIGNATURE,
            input_example=example_pairs(),
            pip_requirements=requirements(),
            model_config=dict(DEFAULT_CONFIG),
            metadata=dict(metadata),
        )


@contextmanager
def _without_uv_project() -> Iterator[None]:
    """Keep MLflow from adding the uv project of the working folder to the model: it has other requirements."""
    before = os.environ.get(_UV_VARIABLE)
    os.environ[_UV_VARIABLE] = "false"
    try:
        yield
    finally:
        del os.environ[_UV_VARIABLE]
        os.environ.update({} if before is None else {_UV_VARIABLE: before})


def _onnx_flavor(tower: Path) -> dict[str, Any]:
    """The fields that `mlflow.onnx` reads, and the signature of the tower's tensors.

    MLmodel has room for one signature, that of the pair scorer.
    """
    import onnx

    size = read_card(tower).image_size
    graph = onnx.load(tower).graph
    width = graph.output[0].type.tensor_type.shape.dim[1].dim_value
    signature = ModelSignature(
        inputs=Schema([TensorSpec(np.dtype(np.uint8), (-1, size, size, 3), INPUT_NAME)]),
        outputs=Schema([TensorSpec(np.dtype(np.float32), (-1, width), OUTPUT_NAME)]),
    )
    return {
        "onnx_version": onnx.__version__,
        "data": IN_LOGGED_MODEL,
        "providers": ["CUDAExecutionProvider", "CPUExecutionProvider"],
        "onnx_session_options": None,
        "signature": signature.to_dict(),
    }


def _copy_package(folder: Path) -> Path:
    """Copy artsim's package without its tower, and without the parts that the pair scorer cannot import."""
    package = BASE.parents[1]
    own = Path(pair_model.__file__).name  # MLflow copies it
    ignore = shutil.ignore_patterns("__pycache__", "*.onnx", own, *LEFT_OUT)
    shutil.copytree(package, folder / package.name, ignore=ignore)
    return folder / package.name


def requirements() -> list[str]:
    """What scoring needs, at the versions that are installed, with one wheel of onnxruntime for each platform."""
    installed = {each.name.lower(): each.version for each in distributions()}
    needed = [f"{name}=={installed[name]}" for name in NEEDED if name in installed]
    runtime = installed.get("onnxruntime-gpu") or installed["onnxruntime"]
    return [
        *needed,
        f"onnxruntime-gpu=={runtime}; {_GPU_PLATFORM}",
        f"onnxruntime=={runtime}; {_OTHER_PLATFORM}",
    ]


def example_pairs() -> pd.DataFrame:
    """Two small pictures in base64, as a table of one pair."""
    red, blue = (_png(colour) for colour in ((180, 60, 40), (40, 60, 180)))
    # MLflow compares the names with a range, at which pandas 3 warns unless they are objects.
    return pd.DataFrame([[red, blue]], columns=pd.Index(["image1", "image2"], dtype=object))


def _png(colour: tuple[int, int, int]) -> str:
    shade = np.linspace(0.5, 1.0, 16)[:, None, None]  # (16, 1, 1)
    pixels = np.broadcast_to(shade * colour, (16, 16, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
