"""A tower in ONNX, opened and checked against the contract.

Paintings go in as uint8 (B, S, S, 3) RGB, embeddings come out as float32 (B, D).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as states

from artsim.errors import DeviceError, ModelError
from artsim.scoring.contract import INPUT_NAME, METADATA_KEY, OUTPUT_NAME, Card
from artsim.scoring.device import CPU, CUDA, Device, cuda_obstacle, gpu_count, load_cuda_libraries

# onnxruntime's own exceptions have no common parent below Exception.
ORT_ERRORS = (
    states.EPFail, states.EngineError, states.Fail, states.InvalidArgument, states.InvalidGraph,
    states.InvalidProtobuf, states.ModelLoaded, states.NoModel, states.NoSuchFile, states.NotImplemented,
    states.RuntimeException, RuntimeError, ValueError,
)  # fmt: skip
# By default CUDA multiplies float32 with 10 bits of mantissa on newer GPUs; embeddings are to be the CPU's.
PROVIDER_OPTIONS = {CUDA: {"use_tf32": "0"}}
MEMORY = {CPU: "cpu", CUDA: "cuda"}  # where a provider wants its inputs, by onnxruntime's names
SILENT = 4  # log fatal errors only: the others are raised as exceptions, too


class Tower:
    """An opened tower: `tower(images)` embeds a batch.

    `provider` is what the session really runs on; `note` says why a GPU that is there is not used, else None.
    """

    def __init__(self, path: Path, session: Any, note: str | None = None) -> None:
        self.path = path
        self.card = _card_of(path, session)
        self.width = _check_graph(path, session, self.card)
        self.provider: str = session.get_providers()[0]
        self.note = note
        self._session = session

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed images (B, S, S, 3) as float32 (B, D).

        Raises:
            DeviceError: the session failed, most often for want of memory.
            ModelError: what came out is no finite number.
        """
        try:
            embeddings = self._run(images)
        except ORT_ERRORS as error:
            raise DeviceError(
                f"{self.path}: {self.provider} failed on a batch of {len(images)}: {error}. "
                "If memory is short, try a smaller batch size."
            ) from error
        if not np.isfinite(embeddings).all():
            raise ModelError(f"{self.path}: its embeddings are not all finite numbers; train or export it anew.")
        return embeddings

    def _run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Bind what goes in and out: on a GPU images cross over once, as bytes, and vectors alone come back."""
        binding = self._session.io_binding()
        pixels = onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(images), MEMORY[self.provider], 0)
        binding.bind_ortvalue_input(INPUT_NAME, pixels)
        binding.bind_output(OUTPUT_NAME, "cpu")
        self._session.run_with_iobinding(binding)
        embeddings: NDArray[np.float32] = binding.copy_outputs_to_cpu()[0]
        return embeddings


def open_tower(path: Path, device: Device = "auto", threads: int | None = None) -> Tower:
    """Open a tower where it was asked for: `auto` is CUDA where that really works, else the CPU.

    `threads` are a CPU's; see `session_options`.

    Raises:
        ModelError: not a file, not ONNX, or not a tower of a contract this artsim knows.
        DeviceError: CUDA was asked for and does not work here.
    """
    _check_file(path)
    onnxruntime.set_default_logger_severity(SILENT)
    if device == "cpu" or (device == "auto" and gpu_count() == 0):
        return Tower(path, _session(path, [CPU], session_options(threads)))
    on_cuda = _on_cuda(path)
    if isinstance(on_cuda, Tower):
        return on_cuda
    if device == "cuda":
        raise DeviceError(f"CUDA can't be used: {on_cuda}. Use --device cpu, or auto for whatever works.")
    return Tower(path, _session(path, [CPU], session_options(threads)), note=f"CUDA can't be used: {on_cuda}")


def read_card(path: Path) -> Card:
    """What a tower says about itself, without getting it ready to run.

    Raises:
        ModelError: as `open_tower`.
    """
    _check_file(path)
    onnxruntime.set_default_logger_severity(SILENT)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return Tower(path, _session(path, [CPU], options)).card


def session_options(threads: int | None = None) -> Any:
    """The options every tower runs with; threads are by default onnxruntime's choice, one for each physical core."""
    options = onnxruntime.SessionOptions()
    if threads is not None:
        options.intra_op_num_threads = threads
    options.log_severity_level = SILENT
    # Idle workers would spin on the cores that decode the next batch.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _on_cuda(path: Path) -> Tower | str:
    """The tower on CUDA after one black image went through it, or what kept it from running there."""
    obstacle = cuda_obstacle()
    if obstacle is not None:
        return obstacle
    complaint = load_cuda_libraries()
    try:
        session = _session(path, [CUDA, CPU])
    except ModelError as error:
        _session(path, [CPU])  # a broken model is reported as such, whatever the device
        return str(error)
    tower = Tower(path, session)
    if tower.provider != CUDA:
        return (
            f"onnxruntime {onnxruntime.__version__} fell back to {tower.provider} ({complaint or 'no reason given'}); "
            "onnxruntime-gpu[cuda,cudnn] brings the libraries it needs"
        )
    size = tower.card.image_size
    try:
        tower(np.zeros((1, size, size, 3), dtype=np.uint8))
    except DeviceError as error:
        return str(error)
    return tower


def _check_file(path: Path) -> None:
    try:
        empty = path.stat().st_size == 0
        with path.open("rb"):
            pass
    except OSError as error:
        raise ModelError(f"{path}: can't be read as a model ({error.strerror}).") from error
    if empty:
        raise ModelError(f"{path}: the file is empty.")


def _session(path: Path, providers: list[str], options: Any = None) -> Any:
    try:
        return onnxruntime.InferenceSession(
            str(path),
            options or session_options(),
            providers=[(provider, PROVIDER_OPTIONS.get(provider, {})) for provider in providers],
            enable_fallback=False,
        )
    except ORT_ERRORS as error:
        raise ModelError(f"{path}: onnxruntime can't open it as an ONNX model ({error}).") from error


def _card_of(path: Path, session: Any) -> Card:
    text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    if text is None:
        raise ModelError(
            f"{path}: an ONNX model, but no tower of artsim's: it has no '{METADATA_KEY}' metadata. "
            "Export a checkpoint with `artsim export`."
        )
    try:
        return Card.from_json(text)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def _check_graph(path: Path, session: Any, card: Card) -> int:
    """Hold inputs and outputs to the contract and return D, the embedding's width."""
    size = card.image_size
    inputs = [(node.name, node.type, node.shape) for node in session.get_inputs()]
    outputs = [(node.name, node.type, node.shape) for node in session.get_outputs()]
    fits = (
        [(name, kind, shape[1:]) for name, kind, shape in inputs] == [(INPUT_NAME, "tensor(uint8)", [size, size, 3])]
        and [(name, kind, len(shape)) for name, kind, shape in outputs] == [(OUTPUT_NAME, "tensor(float)", 2)]
        and not isinstance(inputs[0][2][0], int)
        and isinstance(outputs[0][2][1], int)
    )
    if not fits:
        raise ModelError(
            f"{path}: its graph takes {_described(inputs)} and gives {_described(outputs)}; an artsim tower "
            f"takes {INPUT_NAME}: tensor(uint8) ['batch', {size}, {size}, 3] and gives "
            f"{OUTPUT_NAME}: tensor(float) ['batch', D]."
        )
    return int(outputs[0][2][1])


def _described(nodes: list[tuple[str, str, list[Any]]]) -> str:
    return ", ".join(f"{name}: {kind} {shape}" for name, kind, shape in nodes) or "nothing"
