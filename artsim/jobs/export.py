"""From a checkpoint to an ONNX tower that was compared, calibrated and judged."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from artsim import images
from artsim._version import __version__
from artsim.collection.selection import VAL_SEEN, VAL_UNSEEN, Selection, read_selection
from artsim.errors import InputError, OutputError
from artsim.evaluation.validation import Validation
from artsim.export.reduced_precision import Graph, Quantization, QuantizationCost, calibration_paintings, opened, reduce
from artsim.export.run_record import SELECTION_FILE, ExportSource, RunRecord, Which
from artsim.scoring.contract import Calibration, Card, Precision

if TYPE_CHECKING:
    import keras

    from artsim.export.convert import ExportCheck

COMPARED_IMAGES = 64
PARTS = {VAL_SEEN: "artists trained on", VAL_UNSEEN: "artists never seen"}


@dataclass(frozen=True)
class Exported:
    """An ONNX tower on disk, and what is known of it."""

    path: Path
    card: Card
    check: ExportCheck
    embeddings: NDArray[np.float32]  # (V, D) of the validation works, by the tower that was judged
    validation: Validation
    cost: QuantizationCost | None = None  # of fewer bits than 32


def export_checkpoint(
    folder: Path,
    which: Which | None,
    output: Path,
    data_dir: Path | None,
    progress: Callable[[str, int, int], None],
    say: Callable[[str], None],
    max_pixels: int = images.MAX_PIXELS,
    *,
    precision: Precision,
    max_auc_loss: float,
) -> Exported:
    """Export a checkpoint of a finished run from what lies beside it.

    Args:
        folder: what `--checkpoint-dir` got of a run.
        which: checkpoint; None: the one refitted on all works where there is one, else the best.
        output: the file to write.
        data_dir: where the validation works lie now; None: where they lay in training.
        progress: told of (stage, done, total).
        say: told in a line what goes on.
        max_pixels: above which an image is not decoded.
        precision: what the tower's layers are to compute in.
        max_auc_loss: how much AUC fewer bits may lose.

    Raises:
        ModelError: no checkpoint there.
        InputError: the works are not where they were, or there are no pairs of them to judge by.
        GateError: the export differs from its source, or loses too much.
    """
    from artsim.training.runtime import start_tensorflow

    start_tensorflow()
    from artsim.training.data.pixels import decoded

    source = RunRecord.read(folder)
    if not output.parent.is_dir():
        raise OutputError(f"{output}: there is no folder {output.parent}.")
    selection = read_selection(folder / SELECTION_FILE, data_dir or Path(source.data_dir))
    if not isinstance(selection, Selection):
        raise InputError(f"{folder / SELECTION_FILE}: it has no column 'split'.")
    candidate = ExportSource.read(folder, which)
    validation = Validation(selection, source.distance, source.threshold, source.seed)
    if validation.pairs.empty:
        raise InputError(f"{folder / SELECTION_FILE}: no two of its validation works are by one artist, to judge by.")
    quantization = None
    if precision != "fp32":
        quantization = Quantization(
            precision, max_auc_loss, _paintings(precision, selection, source, max_pixels, progress, say)
        )
    reading = partial(progress, "reading")
    with decoded(validation.paths, source.image_size, max_pixels, reading, say) as pixels:
        return export(candidate, source, selection.digest, validation, pixels, output, quantization)


def _paintings(
    precision: Precision,
    selection: Selection,
    source: RunRecord,
    max_pixels: int,
    progress: Callable[[str, int, int], None],
    say: Callable[[str], None],
) -> NDArray[np.uint8] | None:
    if precision == "fp16":
        return None
    calibrating = partial(progress, "calibrating")
    return calibration_paintings(selection, source.image_size, source.seed, max_pixels, calibrating, say)


def export(
    candidate: ExportSource,
    source: RunRecord,
    selection_sha256: str,
    validation: Validation,
    pixels: NDArray[np.uint8],
    output: Path,
    quantization: Quantization | None = None,
) -> Exported:
    """Convert, compare with the source model, calibrate, judge by onnxruntime alone, and only then write.

    A tower that was fitted on the validation works, too, is compared likewise; it is judged by the one that was not,
    and calibrated by fits without some of the artists, in turn.

    Args:
        candidate: to be exported.
        source: the run it comes from.
        selection_sha256: the digest of the works it was trained on.
        validation: the works it is judged by.
        pixels: uint8 (V, S, S, 3) of these works.
        output: the file to write.
        quantization: to fewer bits, where they are asked for; done after the comparison.

    Raises:
        GateError: the export differs from its source, or fewer bits lose too much.
        OutputError: it can't be written.
    """
    from artsim.export.convert import write

    unknown = Card(
        image_size=source.image_size,
        distance=source.distance,
        threshold=0.0,
        calibration=Calibration(slope=0.0, intercept=0.0),
        recipe=source.recipe,
        selection_sha256=selection_sha256,
        artsim_version=__version__,
        run_id=source.run_id,
        refit=candidate.judged is not None,
    )
    graph, check, cost = _checked(candidate.tower, unknown, validation, pixels, quantization)
    judged = graph
    if candidate.judged is not None:
        judged, _, cost = _checked(candidate.judged, unknown, validation, pixels, quantization)
    verdict = validation.judge(judged.embeddings, intervals=True)
    calibration, threshold = candidate.calibration or (verdict.calibration, verdict.threshold)
    card = replace(graph.card, threshold=threshold, calibration=calibration, validation=verdict.figures)
    write(graph.proto, card, output)
    return Exported(output, card, check, judged.embeddings, validation, cost)


def _checked(
    tower: keras.Model, card: Card, validation: Validation, pixels: NDArray[np.uint8], quantization: Quantization | None
) -> tuple[Graph, ExportCheck, QuantizationCost | None]:
    """A tower's graph, compared with it, and then in fewer bits if that is asked for."""
    from artsim.export.convert import compare, convert
    from artsim.training.loop.evaluator import embed

    with tempfile.TemporaryDirectory(prefix="artsim-") as name:
        folder = Path(name)
        graph = opened(convert(tower), card, folder / "tower.onnx", pixels)
        some = np.unique(np.linspace(0, len(pixels) - 1, COMPARED_IMAGES).astype(int))
        check = compare(embed(tower, pixels[some]), graph.embeddings[some], card.distance)
        if quantization is None:
            return graph, check, None
        reduced, cost = reduce(quantization, graph, validation, pixels, folder / "reduced.onnx")
        return reduced, check, cost


def described(exported: Exported) -> str:
    """How good an exported tower is, and how near to its source; for a person."""
    figures, check = exported.card.validation, exported.check
    which = "the same tower before it was refitted on all works," if exported.card.refit else "the exported tower"
    lines = [f"{which} on works it was not trained on (threshold {exported.card.threshold:.4g}):"]
    for part, meaning in PARTS.items():
        if f"{part}_auc" in figures:
            lines.append(
                f"  {meaning:<20}AUC {auc_text(figures, part)}   EER {figures[f'{part}_eer']:.3f}   "
                f"balanced accuracy {figures[f'{part}_balanced_accuracy']:.3f}"
            )
            lines.append(f"{'':22}{'   '.join(_more(figures, part))}")
    compared = "in fp32, onnxruntime" if exported.cost else "onnxruntime"
    lines.append(
        f"{compared} against TensorFlow on {check.images} images: at most {check.embedding:.2g} apart in an "
        f"embedding, {check.distance:.2g} in a distance (allowed: {check.tolerance:.2g})"
    )
    if exported.cost:
        lines += _described_cost(exported.cost, exported.card.precision)
    return "\n".join(lines)


def _more(figures: Mapping[str, float], part: str) -> list[str]:
    named = {
        "precision@1": "precision_at_1",
        "MAP@R": "map_at_r",
        "AUC within a style": "same_style_auc",
        "calibration error": "calibration_error",
    }
    return [f"{label} {figures[key]:.3f}" for label, name in named.items() if (key := f"{part}_{name}") in figures]


def _described_cost(cost: QuantizationCost, precision: str) -> list[str]:
    (slow, fast), (large, small) = cost.images_per_second, cost.bytes
    return [
        f"{precision} beside fp32, of the same checkpoint:",
        *(
            f"  {PARTS[part]:<20}AUC {before:.4f} -> {after:.4f} (loss {round(before - after, 4) + 0.0:.4f})"
            for part, (before, after) in cost.auc.items()
        ),
        f"  {'images/s, this CPU':<20}{slow:.0f} -> {fast:.0f} ({fast / slow:.2f} x)",
        f"  {'size':<20}{large / 1e6:.1f} -> {small / 1e6:.1f} MB",
        f"  {'embeddings':<20}at most {cost.embedding:.2g} apart in a value",
    ]


def auc_text(figures: Mapping[str, float], part: str, name: str = "auc") -> str:
    """An AUC with its interval, as far as they are known; `same_style_auc` is another one."""
    key = f"{part}_{name}"
    if key not in figures:
        return "–"
    low, high = figures.get(f"{key}_low"), figures.get(f"{key}_high")
    return f"{figures[key]:.3f}" + (f" ({low:.3f} to {high:.3f})" if low is not None and high is not None else "")
