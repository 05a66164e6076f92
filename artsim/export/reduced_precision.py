"""A tower in fewer bits beside the one in 32: which works it is calibrated by, what it loses, and what it gains."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from artsim.collection.selection import TRAIN, VAL_SEEN, VAL_UNSEEN, Selection
from artsim.errors import DeviceError, GateError, ImageError, InputError, ModelError
from artsim.evaluation.validation import Validation
from artsim.scoring.contract import Card, Precision
from artsim.scoring.session import Tower, open_tower

if TYPE_CHECKING:
    import onnx

CALIBRATION_WORKS = 128
TIMED_IMAGES = 96
TIMED_ROUNDS = 5
EMBED_BATCH = 32


@dataclass(frozen=True)
class Quantization:
    """What is asked for: fewer bits at no more than some loss of AUC.

    `paintings`, uint8 (N, S, S, 3), are what int8 is calibrated by; fp16 needs none.
    """

    precision: Precision
    max_auc_loss: float
    paintings: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class QuantizationCost:
    """The tower in fewer bits beside its source in 32, each pair of values (before, after)."""

    auc: Mapping[str, tuple[float, float]]  # of `val_seen` and `val_unseen`, where a run has their pairs
    embedding: float  # the largest difference of an embedding's value
    images_per_second: tuple[float, float]  # by onnxruntime on this machine's CPU, taking turns
    bytes: tuple[int, int]

    @property
    def auc_loss(self) -> float:
        """The larger of the losses; negative where both parts gained."""
        return max(before - after for before, after in self.auc.values())


@dataclass(frozen=True)
class Graph:
    """A graph in ONNX, opened, and what it says of the validation works: float32 (V, D)."""

    proto: onnx.ModelProto
    card: Card
    tower: Tower
    embeddings: NDArray[np.float32]


def opened(proto: onnx.ModelProto, card: Card, path: Path, pixels: NDArray[np.uint8]) -> Graph:
    """Write a graph to `path`, open it as a scorer would, on a CPU, and embed the validation works (V, S, S, 3)."""
    from artsim.export.convert import write

    write(proto, card, path)
    tower = open_tower(path, "cpu")
    return Graph(proto, card, tower, _embed(tower, pixels))


def reduce(
    quantization: Quantization, source: Graph, validation: Validation, pixels: NDArray[np.uint8], path: Path
) -> tuple[Graph, QuantizationCost]:
    """The same tower in fewer bits, and what that costs, if it is allowed to.

    Args:
        quantization: what is asked for.
        source: the tower in 32 bits.
        validation: the works it is judged by.
        pixels: uint8 (V, S, S, 3) of these works.
        path: a temporary file.

    Raises:
        GateError: it does not convert, does not run, or loses too much.
    """
    from artsim.export.quantization import to_fp16, to_int8

    before = validation.judge(source.embeddings).figures
    paintings = quantization.paintings
    proto = to_fp16(source.proto) if paintings is None else to_int8(source.proto, paintings)
    try:
        graph = opened(proto, replace(source.card, precision=quantization.precision), path, pixels)
    except (ModelError, DeviceError) as error:
        raise GateError(f"--precision {quantization.precision}: {error} Not written.") from error
    after = validation.judge(graph.embeddings).figures
    cost = QuantizationCost(
        auc={part: (before[name], after[name]) for part in (VAL_SEEN, VAL_UNSEEN) if (name := f"{part}_auc") in before},
        embedding=float(np.abs(graph.embeddings - source.embeddings).max(initial=0.0)),
        images_per_second=_speeds(source.tower, graph.tower, pixels),
        bytes=(source.tower.path.stat().st_size, path.stat().st_size),
    )
    check_loss(cost, quantization)
    return graph, cost


def check_loss(cost: QuantizationCost, quantization: Quantization) -> None:
    """The gate.

    Raises:
        GateError: more AUC is lost than allowed.
    """
    # Written so that a loss which is not a number fails, too; a difference by rounding alone is no loss.
    if not cost.auc_loss <= quantization.max_auc_loss + 1e-9:
        losses = ", ".join(f"{part}_auc {before:.4f} to {after:.4f}" for part, (before, after) in cost.auc.items())
        raise GateError(
            f"--precision {quantization.precision} loses {cost.auc_loss:.4f} of the tower's AUC ({losses}), more than "
            f"--max-auc-loss {quantization.max_auc_loss:g}: not written."
        )


def calibration_paintings(
    selection: Selection,
    size: int,
    seed: int,
    max_pixels: int,
    progress: Callable[[int, int], None],
    say: Callable[[str], None],
) -> NDArray[np.uint8]:
    """Some of the works trained on, uint8 (N, S, S, 3): ranges taken from works to judge by would flatter the figures.

    Raises:
        InputError: there are none, or not where they were.
    """
    from artsim.training.data.pixels import decoded

    works = selection.part(TRAIN)
    if works.empty:
        raise InputError(f"{selection.source}: it has no works of the split '{TRAIN}' to calibrate int8 by.")
    some = works.sample(min(CALIBRATION_WORKS, len(works)), random_state=seed)
    try:
        with decoded(selection.paths(some), size, max_pixels, progress, say) as paintings:
            return np.array(paintings)
    except ImageError as error:
        raise InputError(f"int8 is calibrated by works trained on, and one can't be used: {error}") from error


def _embed(tower: Tower, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    starts = range(0, len(pixels), EMBED_BATCH)
    return np.concatenate([tower(np.ascontiguousarray(pixels[start : start + EMBED_BATCH])) for start in starts])


def _speeds(before: Tower, after: Tower, pixels: NDArray[np.uint8]) -> tuple[float, float]:
    """Images/s of two towers, medians of rounds in which they take turns; each has run before."""
    timed = np.array(pixels[:TIMED_IMAGES])
    rounds = [[_seconds(tower, timed) for tower in (before, after)] for _ in range(TIMED_ROUNDS)]
    first, second = (len(timed) / median(one[turn] for one in rounds) for turn in (0, 1))
    return first, second


def _seconds(tower: Tower, pixels: NDArray[np.uint8]) -> float:
    started = time.perf_counter()
    _embed(tower, pixels)
    return time.perf_counter() - started
