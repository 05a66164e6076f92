"""Inference sessions: an ONNX tower is opened, checked against the contract, and run.

Input: images, uint8 (B, S, S, 3) RGB. Output: embeddings, float32 (B, D).

A tower may come from a stranger. Its file is checked before onnxruntime sees it (see `artsim.scoring.onnx_file`). What
the graph returns is checked at each call. A batch that takes too long is ended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as states

from artsim.errors import DeviceError, ModelError
from artsim.machine import FREE_MEMORY, is_short_of_memory
from artsim.scoring import session_options as limits
from artsim.scoring.contract import INPUT_NAME, METADATA_KEY, OUTPUT_NAME, Card
from artsim.scoring.device import CPU, CUDA, Device, cuda_obstacle, gpu_count, load_cuda_libraries
from artsim.scoring.onnx_file import read_model
from artsim.scoring.session_options import SILENT, ended_after, session_options

# onnxruntime's exceptions have no common base class below Exception.
ORT_ERRORS: tuple[type[Exception], ...] = (
    states.EPFail, states.EngineError, states.Fail, states.InvalidArgument, states.InvalidGraph,
    states.InvalidProtobuf, states.ModelLoadCanceled, states.ModelLoaded, states.NoModel, states.NoSuchFile,
    states.NotFound, states.NotImplemented, states.RuntimeException, RuntimeError, ValueError, MemoryError,
)  # fmt: skip
# Newer GPUs multiply float32 with 10 bits of mantissa (TF32) by default. Without TF32 embeddings agree with a CPU's.
PROVIDER_OPTIONS = {CUDA: {"use_tf32": "0"}}
MEMORY = {CPU: "cpu", CUDA: "cuda"}  # the memory from which a provider reads its inputs, by onnxruntime's names


class Tower:
    """An opened tower: `tower(images)` embeds a batch.

    Attributes:
        path: the ONNX file.
        sha256: hex SHA-256 of the bytes that were opened. The file may have changed since.
        card: the description in the file.
        width: D, the length of an embedding.
        provider: the execution provider that the session runs on.
        note: why `auto` does not use a GPU that is present, else None.
    """

    path: Path
    sha256: str
    card: Card
    width: int
    provider: str
    note: str | None

    def __init__(self, path: Path, data: bytes, session: onnxruntime.InferenceSession, note: str | None = None) -> None:
        self.path = path
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.card = _card_of(path, session)
        self.width = _check_graph(path, session, self.card)
        self.provider = session.get_providers()[0]
        self.note = note
        self._session = session

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed images (B, S, S, 3) as float32 (B, D).

        Raises:
            DeviceError: the session failed, most often because memory is short.
            ModelError: the graph returns something other than finite embeddings, or takes too long.
        """
        limit = limits.SECONDS_PER_BATCH + limits.SECONDS_PER_IMAGE * len(images)
        run = onnxruntime.RunOptions()
        try:
            with ended_after(limit, lambda: setattr(run, "terminate", True)):
                embeddings = self._run(images, run)
        except ORT_ERRORS as error:
            if run.terminate:
                raise ModelError(
                    f"{self.path}: a batch of {len(images)} took more than {limit:,.0f} s and was ended. Use a smaller "
                    "batch size, a faster device, or another tower."
                ) from error
            raise DeviceError(
                f"{self.path}: {self.provider} failed on a batch of {len(images)}: {str(error).strip()}. "
                "If memory is short, try a smaller batch size."
            ) from error
        self._check_embeddings(embeddings, len(images))
        return embeddings

    def _run(self, images: NDArray[np.uint8], run: onnxruntime.RunOptions) -> NDArray[np.float32]:
        """Run with bound input and output: one copy of the images to a GPU, one copy of the embeddings back."""
        binding = self._session.io_binding()
        pixels = onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(images), MEMORY[self.provider], 0)
        binding.bind_ortvalue_input(INPUT_NAME, pixels)
        binding.bind_output(OUTPUT_NAME, "cpu")
        self._session.run_with_iobinding(binding, run)
        embeddings: NDArray[np.float32] = binding.copy_outputs_to_cpu()[0]
        return embeddings

    def _check_embeddings(self, embeddings: NDArray[np.float32], count: int) -> None:
        """Check what the graph has returned: it need not be what the graph declares."""
        found, expected = (embeddings.dtype, embeddings.shape), (np.dtype(np.float32), (count, self.width))
        if found != expected:
            raise ModelError(
                f"{self.path}: its graph returns {found[0]} of shape {found[1]} for {count} images in place of "
                f"{expected[0]} of shape {expected[1]}. Export it again with `artsim export`."
            )
        if not np.isfinite(embeddings).all():
            raise ModelError(f"{self.path}: its embeddings are not finite (NaN or infinity). Train or export it again.")


def open_tower(path: Path, device: Device = "auto", threads: int | None = None) -> Tower:
    """Open a tower; `auto` is CUDA if it works here, else the CPU. For `threads`, see `session_options`.

    Raises:
        ModelError: the file cannot be read, is not ONNX, or is not a tower of a contract that this artsim supports.
        DeviceError: `device` is `cuda`, and CUDA does not work here; or there is too little memory.
    """
    data = read_model(path)
    onnxruntime.set_default_logger_severity(SILENT)
    if device == "cpu" or (device == "auto" and gpu_count() == 0):
        return Tower(path, data, _session(path, data, [CPU], session_options(threads)))
    on_cuda = _on_cuda(path, data)
    if isinstance(on_cuda, Tower):
        return on_cuda
    if device == "cuda":
        raise DeviceError(f"CUDA can't be used: {on_cuda}. Use --device cpu, or --device auto to choose what works.")
    session = _session(path, data, [CPU], session_options(threads))
    return Tower(path, data, session, note=f"CUDA can't be used: {on_cuda}")


def read_card(path: Path) -> Card:
    """Read a tower's card.

    Raises:
        ModelError: see `open_tower`.
    """
    return read_tower(path).card


def read_tower(path: Path) -> Tower:
    """Open a tower to read what it is. Its graph is not optimized, which takes most of the time of opening it.

    Raises:
        ModelError: see `open_tower`.
    """
    data = read_model(path)
    onnxruntime.set_default_logger_severity(SILENT)
    options = session_options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return Tower(path, data, _session(path, data, [CPU], options))


def _on_cuda(path: Path, data: bytes) -> Tower | str:
    """Open a tower on CUDA and run it on one black image; if that fails, return the reason."""
    obstacle = cuda_obstacle()
    if obstacle is not None:
        return obstacle
    complaint = load_cuda_libraries()
    try:
        session = _session(path, data, [CUDA, CPU])
    except ModelError as error:
        _session(path, data, [CPU])  # a broken model raises here: then CUDA is not the reason
        return str(error)
    tower = Tower(path, data, session)
    if tower.provider != CUDA:
        return (
            f"onnxruntime {onnxruntime.__version__} fell back to {tower.provider} ({complaint or 'no reason given'}); "
            "install onnxruntime-gpu[cuda,cudnn] for the libraries that it needs"
        )
    size = tower.card.image_size
    try:
        tower(np.zeros((1, size, size, 3), dtype=np.uint8))
    except DeviceError as error:
        return str(error)
    return tower


def _session(
    path: Path, data: bytes, providers: list[str], options: onnxruntime.SessionOptions | None = None
) -> onnxruntime.InferenceSession:
    options = options or session_options()
    if providers == [CPU]:
        limits.limit_memory(options)
    try:
        with ended_after(limits.SECONDS_TO_OPEN, lambda: options.set_load_cancellation_flag(True)):
            session = onnxruntime.InferenceSession(
                data,
                options,
                providers=[(provider, PROVIDER_OPTIONS.get(provider, {})) for provider in providers],
                enable_fallback=False,
                read_config_from_model=0,  # a model must not choose the options
            )
    except ORT_ERRORS as error:
        if is_short_of_memory(error):
            raise DeviceError(f"{path}: there is too little memory to open it ({error}). {FREE_MEMORY}") from error
        raise ModelError(f"{path}: not an ONNX model that onnxruntime can open ({error}). Export it again.") from error
    session._model_bytes = None  # kept only for a fallback to other providers: the memory of a whole model
    return session


def _card_of(path: Path, session: onnxruntime.InferenceSession) -> Card:
    try:
        text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: its metadata is not text in UTF-8. Export it again.") from error
    if text is None:
        raise ModelError(
            f"{path}: an ONNX model, but not an artsim tower: it has no '{METADATA_KEY}' metadata. "
            "Make a tower with `artsim export`."
        )
    try:
        return Card.from_json(text)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def _check_graph(path: Path, session: onnxruntime.InferenceSession, card: Card) -> int:
    """Check inputs and outputs against the contract; return D, the length of an embedding."""
    size = card.image_size
    inputs, outputs = session.get_inputs(), session.get_outputs()
    fits = (
        [(node.name, node.type, node.shape[1:]) for node in inputs] == [(INPUT_NAME, "tensor(uint8)", [size, size, 3])]
        and [(node.name, node.type, len(node.shape)) for node in outputs] == [(OUTPUT_NAME, "tensor(float)", 2)]
        and not isinstance(inputs[0].shape[0], int)
        and isinstance(outputs[0].shape[1], int)
    )
    if not fits:
        raise ModelError(
            f"{path}: its graph has the input {_described(inputs)} and the output {_described(outputs)}; an artsim "
            f"tower has {INPUT_NAME}: tensor(uint8) ['batch', {size}, {size}, 3] and {OUTPUT_NAME}: tensor(float) "
            "['batch', D]. Export it again with `artsim export`."
        )
    width = int(outputs[0].shape[1])
    if card.cohort is not None and card.cohort.adapted_width > width:
        raise ModelError(
            f"{path}: its card adapts {card.cohort.adapted_width} values of an embedding, but there are only {width}. "
            "Export it again with `artsim export`."
        )
    if card.photographs is not None and card.photographs.training.width != width:
        raise ModelError(
            f"{path}: its card describes training photographs by {card.photographs.training.width} values, but an "
            f"embedding has {width}. Export it again with `artsim export`."
        )
    return width


def _described(nodes: Sequence[onnxruntime.NodeArg]) -> str:
    return ", ".join(f"{node.name}: {node.type} {node.shape}" for node in nodes) or "(none)"
