"""`artsim info`: what a tower is, or what this installation can do."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from artsim._version import __version__
from artsim.errors import DeviceError
from artsim.machine import core_count
from artsim.model_names import tower_file
from artsim.scoring.contract import Card
from artsim.scoring.device import cuda_obstacle, gpu_count
from artsim.scoring.session import Tower, open_tower, read_tower
from artsim.towers import BASE

# Looked up in the packages' metadata: to import TensorFlow takes many seconds.
PACKAGES = ("onnxruntime", "onnxruntime-gpu", "numpy", "tensorflow", "keras", "tf2onnx", "mlflow", "pyspark")
SHOWN = ("onnxruntime", "onnxruntime-gpu", "tensorflow", "mlflow")
NEEDED_TO_TRAIN = ("tensorflow", "tf2onnx", "mlflow", "psutil")
GROUPS = {"unseen artists": "val_unseen", "seen artists": "val_seen"}


@dataclass(frozen=True)
class Info:
    """Names and values for a person, a line each, and everything as fields of JSON."""

    lines: Sequence[tuple[str, str]]
    fields: Mapping[str, Any]


def tower_info(model: str) -> Info:
    """Describe a tower, by any name that `artsim.load` takes.

    Raises:
        ModelError, UsageError, TrackingError: see `artsim.load`.
    """
    path = tower_file(model)
    tower = read_tower(path)
    size = path.stat().st_size
    fields = _readable(tower.card) | {
        "path": str(path), "bytes": size, "sha256": tower.sha256, "embedding_size": tower.width,
    }  # fmt: skip
    return Info(_tower_lines(tower, size), fields)


def _readable(card: Card) -> dict[str, Any]:
    """The fields of a card, without the arrays that describe the training photographs."""
    fields = asdict(card)
    if card.photographs is not None:
        fields["photographs"].pop("training")
    return fields


def _tower_lines(tower: Tower, size: int) -> list[tuple[str, str]]:
    card, rule = tower.card, tower.card.cohort
    refit = ", refit on all works" if card.refit else ""
    adapted = "scores cannot adapt to a cohort" if rule is None else f"{rule.threshold:.3f} where scores adapt to one"
    photographs = "cannot tell unfamiliar photographs" if card.photographs is None else "tells unfamiliar photographs"
    return [
        ("tower", f"{tower.path}, {_megabytes(size)}, SHA-256 {tower.sha256[:12]}…"),
        ("recipe", f"{card.recipe}{refit}"),
        ("made by", f"artsim {card.artsim_version}, {f'run {card.run_id}' if card.run_id else 'run unknown'}"),
        ("input", f"images of {card.image_size} px; {photographs}"),
        ("embedding", f"{tower.width} values, {card.precision}, {card.distance} distance"),
        ("threshold", f"{card.threshold:.3f} without a cohort; {adapted}"),
        *((name, _measured(card.validation, group)) for name, group in GROUPS.items()),
    ]


def _measured(validation: Mapping[str, float], group: str) -> str:
    auc, low, high = (validation.get(f"{group}/{name}") for name in ("auc", "auc_low", "auc_high"))
    if auc is None:
        return "not measured"
    interval = "" if low is None or high is None else f" (95 % interval {low:.2f} to {high:.2f})"
    return f"AUC {auc:.2f}{interval} on its validation works"


def installation_info() -> Info:
    """Describe this installation: versions, devices, environment managers of `mlflow run`, and caches."""
    packages = {name: found for name in PACKAGES if (found := _version(name)) is not None}
    cuda, managers, caches = _cuda_problem(), _env_managers(), _caches()
    fields = {
        "artsim": __version__,
        "place": str(Path(__file__).parents[1]),
        "python": platform.python_version(),
        "python_path": sys.executable,
        "platform": platform.platform(),
        "packages": packages,
        "cores": core_count(),
        "gpus": gpu_count(),
        "providers": {"cpu": None, "cuda": cuda},
        "env_managers": managers,
        "caches": caches,
        "tower": str(BASE),
    }
    shown = [f"{name} {packages[name]}" for name in SHOWN if name in packages]
    absent = [name for name in ("tensorflow", "mlflow") if name not in packages]
    lines = [
        ("artsim", f"{__version__} in {fields['place']}"),
        ("Python", f"{fields['python']}, {sys.executable}, {platform.system()} {platform.machine()}"),
        ("packages", ", ".join(shown + [f"no {name}" for name in absent])),
        ("CPU", f"usable, {core_count()} cores"),
        ("CUDA", "usable" if cuda is None else f"not usable: {cuda}"),
        ("mlflow run", "; ".join(f"--env-manager {name}: {problem or 'usable'}" for name, problem in managers.items())),
        ("caches", "; ".join(f"{cache['path']} ({cache['what']}, {_megabytes(cache['bytes'])})" for cache in caches)),
        ("to clear", "delete the folder of a cache; what is needed is made or downloaded again"),
        ("tower", f"{BASE} comes with artsim; name it to see its card"),
    ]
    return Info(lines, fields)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cuda_problem() -> str | None:
    """Why CUDA does not work here; None: a tower runs on it."""
    problem = cuda_obstacle()
    if problem is None:
        try:
            open_tower(BASE, "cuda")
        except DeviceError as error:
            problem = str(error)
    return problem


def _env_managers() -> dict[str, str | None]:
    """For each environment manager of `mlflow run`, what it lacks here; None: nothing."""
    lacking = [name for name in NEEDED_TO_TRAIN if find_spec(name) is None]
    conda = Path(os.environ.get("MLFLOW_CONDA_HOME", ""), "bin", "conda")
    has_conda = shutil.which("conda") is not None or conda.is_file()
    return {
        "local": f"lacks {', '.join(lacking)} (pip install 'artsim[train]')" if lacking else None,
        "uv": None if shutil.which("uv") else "uv is not on the PATH",
        "conda": None if has_conda else "conda is not on the PATH",
    }


def _caches() -> list[dict[str, Any]]:
    """The folders that artsim and its libraries keep files in between runs."""
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
    places = {
        user_cache_path("artsim"): "towers of MLflow's models, embedded collection",
        keras: "weights that Keras has downloaded",
    }
    return [{"path": str(path), "what": what, "bytes": _size(path)} for path, what in places.items()]


def _size(folder: Path) -> int:
    """The bytes of all files in a folder; 0 if it is not there."""
    size = 0
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                size += Path(place, name).lstat().st_size
            except OSError:  # gone meanwhile
                continue
    return size


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
