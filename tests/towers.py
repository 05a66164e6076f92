"""Tiny real towers in ONNX: the embedding is a fixed linear map of the mean colours of a grid of cells."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from artsim.scoring.contract import CONTRACT, INPUT_NAME, METADATA_KEY, OUTPUT_NAME, Calibration, Card, CohortRule
from artsim.scoring.familiarity import Correction, PhotographRule, TrainingEmbeddings

SIZE = 16
CELLS = 4  # along each side
WIDTH = 8
# The rule of towers that can adapt; the last two values of an embedding stay as they are.
COHORT_RULE = CohortRule(WIDTH - 2, Calibration(slope=-4.0, intercept=4.0), threshold=1.0)


def card(**changes: Any) -> Card:
    """A card as an export would write it, with some fields changed."""
    fields: dict[str, Any] = {
        "image_size": SIZE,
        "distance": "rms",
        "threshold": 0.3,
        "calibration": Calibration(slope=-8.0, intercept=2.0),
        "recipe": "test",
        "selection_sha256": "0" * 64,
        "artsim_version": "0.1.0",
        "run_id": "abc",
        "validation": {"val_seen/auc": 0.75},
    }
    return Card(**(fields | changes))


def newer_card() -> str:
    """The text of a card that a later artsim wrote."""
    return json.dumps(json.loads(card().to_json()) | {"contract": CONTRACT + 1, "artsim_version": "9.1"})


def adaptable_card(**changes: Any) -> Card:
    """The same with a rule for cohorts."""
    return card(**({"cohort": COHORT_RULE} | changes))


def card_with_photographs(embeddings: NDArray[np.float32], of: Card | None = None, slope: float = 0.5) -> str:
    """The text of a card by which photographs with these embeddings (N, D) are familiar, and others are not."""
    training = described(embeddings)
    familiar = max(1e-6, 1.001 * float(training.unfamiliarity(embeddings).max()))  # 0 if all of them are the same
    rule = PhotographRule(training, Correction(familiar, 1.5 * familiar, onset=0.0, slope=slope))
    fields = json.loads((of or card()).to_json())
    return json.dumps(fields | {"contract": CONTRACT, "photographs": asdict(rule)})


def described(embeddings: NDArray[np.float32]) -> TrainingEmbeddings:
    """Training embeddings (N, D) whose shifted views differ from them in every direction."""
    deviation = np.random.default_rng(99).normal(size=embeddings.shape).astype(np.float32)
    return TrainingEmbeddings.of(embeddings, embeddings + deviation)


def familiar_card(**changes: Any) -> Card:
    """The same with a rule for unfamiliar photographs, to which some of these towers' embeddings are familiar."""
    embeddings = 3 * np.random.default_rng(0).normal(size=(200, WIDTH)).astype(np.float32)
    rule = PhotographRule(described(embeddings), Correction(familiar=0.5, foreign=1.0, onset=0.4, slope=2.0))
    return card(**({"photographs": rule} | changes))


def write_tower(
    path: Path,
    metadata: str | Card | None = None,
    *,
    size: int = SIZE,
    width: int = WIDTH,
    input_name: str = INPUT_NAME,
    output_name: str = OUTPUT_NAME,
    input_type: int = TensorProto.UINT8,
    batch: int | str = "batch",
    scale: float = 1 / 255,
    blind: bool = False,
) -> Path:
    """Write a tower; `metadata` is the card's text, by default a good card's, and "" leaves it out.

    A blind tower sees one cell of a picture only.
    """
    weights = np.random.default_rng(0).normal(size=(CELLS * CELLS * 3, width)).astype(np.float32)
    weights[3 if blind else len(weights) :] = 0
    cell = size // CELLS
    constants = {"scale": np.array(scale, dtype=np.float32), "weights": weights}
    nodes = [
        helper.make_node("Cast", [input_name], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["floats", "scale"], ["pixels"]),
        helper.make_node("Transpose", ["pixels"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["cells"], kernel_shape=[cell, cell], strides=[cell, cell]),
        helper.make_node("Flatten", ["cells"], ["colours"]),
        helper.make_node("MatMul", ["colours", "weights"], [output_name]),
    ]
    graph = helper.make_graph(
        nodes,
        "tower",
        [helper.make_tensor_value_info(input_name, input_type, [batch, size, size, 3])],
        [helper.make_tensor_value_info(output_name, TensorProto.FLOAT, [batch, width])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if metadata is None:
        metadata = card(image_size=size)
    text = metadata.to_json() if isinstance(metadata, Card) else metadata
    if text:
        helper.set_model_props(model, {METADATA_KEY: text})
    onnx.save(model, str(path))
    return path


def write_paintings(folder: Path, *names: str, size: int = SIZE) -> None:
    """Write small paintings, a different one for each name, the same one for the same name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        cells = np.random.default_rng(list(name.encode())).integers(0, 256, (CELLS, CELLS, 3), dtype=np.uint8)
        Image.fromarray(cells).resize((size, size), Image.Resampling.NEAREST).save(folder / name)


def write_colours(path: Path, seed: int, colour: int) -> None:
    """Write a small painting of cells around one of six colours; its first cell is random."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    colours = [(200, 60, 60), (60, 200, 60), (60, 60, 200), (200, 200, 60), (60, 200, 200), (200, 60, 200)]
    cells = np.clip(np.array(colours[colour]) + rng.normal(0, 25, (CELLS, CELLS, 3)), 0, 255).astype(np.uint8)
    cells[0, 0] = rng.integers(0, 256, 3)
    Image.fromarray(cells).resize((SIZE, SIZE), Image.Resampling.NEAREST).save(path)
