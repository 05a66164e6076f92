"""A tower in reduced precision compared with float32: its calibration works, its loss of AUC, its speed and size."""

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
from artsim.large_arrays import release_pages
from artsim.messages import Say
from artsim.scoring.contract import Card, Precision
from artsim.scoring.session import Tower, open_tower
from artsim.shifted_views import ShiftedViews

if TYPE_CHECKING:
    import onnx

CALIBRATION_WORKS = 128  # a compromise: more paintings widen the ranges and take longer
TIMED_IMAGES = 96  # twelve batches
TIMED_ROUNDS = 5  # their median ignores two rounds that another process disturbs
TOWER_BATCH = 8  # bounds the memory: onnxruntime keeps the feature maps of a whole batch


@dataclass(frozen=True)
class Quantization:
    """The precision asked for, and the largest loss of AUC allowed.

    `paintings`, uint8 (N, S, S, 3), calibrate int8; the others need none.
    """

    precision: Precision
    max_auc_loss: float
    paintings: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class QuantizationCost:
    """The tower in reduced precision compared with float32; each pair of values is (before, after)."""

    auc: Mapping[str, tuple[float, float]]  # by split, where a run has pairs of it
    embedding: float  # largest difference of a value in an embedding
    images_per_second: tuple[float, float]  # by onnxruntime on this machine's CPU, in alternating rounds
    bytes: tuple[int, int]

    @property
    def auc_loss(self) -> float:
        """The larger loss of both splits; negative if both gained."""
        return max(before - after for before, after in self.auc.values())


@dataclass(frozen=True)
class OpenedTower:
    """A tower in ONNX, opened for inference, and its embeddings of the validation works, float32 (V, D)."""

    proto: onnx.ModelProto
    card: Card
    tower: Tower
    embeddings: NDArray[np.float32]


def open_converted(proto: onnx.ModelProto, card: Card, path: Path, pixels: NDArray[np.uint8]) -> OpenedTower:
    """Write a graph to `path`, open it on the CPU as a scorer does, and embed the validation works (V, S, S, 3)."""
    from artsim.export.convert import write

    write(proto, card, path)
    tower = open_tower(path, "cpu")
    return OpenedTower(proto, card, tower, embed_works(tower, pixels))


def embed_works(tower: Tower, pixels: NDArray[np.uint8] | ShiftedViews) -> NDArray[np.float32]:
    """Embed works (N, S, S, 3), or shifted views of them, in batches of one size."""
    found = []
    for start in range(0, len(pixels), TOWER_BATCH):
        found.append(tower(np.ascontiguousarray(pixels[start : start + TOWER_BATCH])))
        release_pages(pixels)
    return np.concatenate(found)


def quantize(
    quantization: Quantization, source: OpenedTower, validation: Validation, pixels: NDArray[np.uint8], path: Path
) -> tuple[OpenedTower, QuantizationCost]:
    """The same tower in reduced precision, and its cost.

    Args:
        quantization: the precision asked for.
        source: the tower in float32.
        validation: the validation works.
        pixels: uint8 (V, S, S, 3) of these works.
        path: a temporary file.

    Raises:
        GateError: the tower does not convert, does not run, or loses too much AUC.
    """
    before = validation.evaluate(source.embeddings).metrics
    proto = _reduced(source.proto, quantization)
    try:
        reduced = open_converted(proto, replace(source.card, precision=quantization.precision), path, pixels)
    except (ModelError, DeviceError) as error:
        raise GateError(f"--precision {quantization.precision}: {error} No tower is written.") from error
    after = validation.evaluate(reduced.embeddings).metrics
    cost = QuantizationCost(
        auc={split: (before[key], after[key]) for split in (VAL_SEEN, VAL_UNSEEN) if (key := f"{split}/auc") in before},
        embedding=float(np.abs(reduced.embeddings - source.embeddings).max(initial=0.0)),
        images_per_second=_speeds(source.tower, reduced.tower, pixels),
        bytes=(source.tower.path.stat().st_size, path.stat().st_size),
    )
    check_loss(cost, quantization)
    return reduced, cost


def _reduced(proto: onnx.ModelProto, quantization: Quantization) -> onnx.ModelProto:
    from artsim.export.half_weights import to_half_weights
    from artsim.export.quantization import to_fp16, to_int8

    if quantization.paintings is not None:
        return to_int8(proto, quantization.paintings)
    return to_half_weights(proto) if quantization.precision == "fp16-weights" else to_fp16(proto)


def check_loss(cost: QuantizationCost, quantization: Quantization) -> None:
    """Compare the loss of AUC with the limit.

    Raises:
        GateError: the loss is larger than allowed.
    """
    # `not <=` also fails a NaN. The margin absorbs the rounding of a difference.
    if not cost.auc_loss <= quantization.max_auc_loss + 1e-9:
        losses = ", ".join(f"{split}/auc {before:.4f} to {after:.4f}" for split, (before, after) in cost.auc.items())
        raise GateError(
            f"--precision {quantization.precision} loses {cost.auc_loss:.4f} of the tower's AUC ({losses}), more than "
            f"--max-auc-loss {quantization.max_auc_loss:g}. No tower is written. Try another --precision."
        )


def calibration_paintings(
    selection: Selection,
    size: int,
    seed: int,
    max_pixels: int,
    progress: Callable[[int, int], None],
    say: Say,
) -> NDArray[np.uint8]:
    """A sample of the training works, uint8 (N, S, S, 3).

    Ranges measured on validation works would make their metrics too good.

    Raises:
        InputError: the selection has no training works, or one cannot be read.
    """
    from artsim.training.data.pixels import decoded

    works = selection.part(TRAIN)
    if works.empty:
        raise InputError(f"{selection.source}: it has no works of the split '{TRAIN}', which int8 is calibrated on.")
    some = works.sample(min(CALIBRATION_WORKS, len(works)), random_state=seed)
    try:
        with decoded(selection.paths(some), size, max_pixels, progress, say) as paintings:
            return np.array(paintings)
    except ImageError as error:
        raise InputError(f"int8 is calibrated on training works, and one cannot be used: {error}") from error


def _speeds(before: Tower, after: Tower, pixels: NDArray[np.uint8]) -> tuple[float, float]:
    """Images/s of two towers: medians of alternating rounds. Both have run before, so no round is a warm-up."""
    timed = np.array(pixels[:TIMED_IMAGES])
    rounds = [[_seconds(tower, timed) for tower in (before, after)] for _ in range(TIMED_ROUNDS)]
    first, second = (len(timed) / median(one[turn] for one in rounds) for turn in (0, 1))
    return first, second


def _seconds(tower: Tower, pixels: NDArray[np.uint8]) -> float:
    started = time.perf_counter()
    embed_works(tower, pixels)
    return time.perf_counter() - started
