"""Sessions: towers open or are refused, and the device in use is the one that is reported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from artsim.errors import DeviceError, ModelError
from artsim.files import file_sha256
from artsim.scoring import device, session, session_options
from artsim.scoring.contract import INPUT_NAME, OUTPUT_NAME
from artsim.scoring.session import open_tower, read_card
from tests.command import ROOT
from tests.scoring.hostile_towers import changed, endless_loop, grows_by, one_row_for_all
from tests.towers import SIZE, WIDTH, adaptable_card, card, newer_card, write_tower


def test_a_tower_embeds_a_batch_of_any_size(tmp_path: Path) -> None:
    tower = open_tower(write_tower(tmp_path / "tower.onnx"), "cpu")
    for count in (1, 3):
        embeddings = tower(np.zeros((count, SIZE, SIZE, 3), dtype=np.uint8))
        assert embeddings.shape == (count, WIDTH)
        assert embeddings.dtype == np.float32
    assert (tower.provider, tower.width, tower.note) == ("CPUExecutionProvider", WIDTH, None)


def test_bound_inputs_and_outputs_give_what_a_plain_run_gives(tmp_path: Path) -> None:
    tower = open_tower(write_tower(tmp_path / "tower.onnx"), "cpu")
    images = np.random.default_rng(0).integers(0, 256, (6, SIZE, SIZE, 3), dtype=np.uint8)
    # The session itself is the reference: nothing public runs it without binding.
    plain = tower._session.run([OUTPUT_NAME], {INPUT_NAME: images})[0]
    np.testing.assert_array_equal(tower(images), plain)
    np.testing.assert_array_equal(tower(images[::2]), plain[::2])
    first = tower(images[:1])
    tower(images[1:2])
    np.testing.assert_array_equal(first, plain[:1])  # not a buffer that the next run writes to


@pytest.mark.parametrize("memory", ["cpu", "cuda"])
def test_images_go_to_the_providers_memory_and_vectors_come_back(
    tmp_path: Path, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tower = open_tower(write_tower(tmp_path / "tower.onnx"), "cpu")
    asked: list[tuple[object, ...]] = []
    real = onnxruntime.OrtValue.ortvalue_from_numpy

    def on_the_cpu(images: np.ndarray, *where: object) -> Any:
        asked.append(where)
        return real(images)

    monkeypatch.setattr(onnxruntime.OrtValue, "ortvalue_from_numpy", on_the_cpu)
    tower.provider = {"cpu": device.CPU, "cuda": device.CUDA}[memory]
    assert tower(np.zeros((2, SIZE, SIZE, 3), dtype=np.uint8)).shape == (2, WIDTH)
    assert asked == [(memory, 0)]


def test_the_card_is_read_without_a_device(tmp_path: Path) -> None:
    assert read_card(write_tower(tmp_path / "tower.onnx")) == card()


def no_file(path: Path) -> None:
    """Leave the path empty."""


def foreign(path: Path) -> None:
    write_tower(path, metadata="")


def too_wide(path: Path) -> None:
    write_tower(path, metadata=adaptable_card(), width=4)


def newer(path: Path) -> None:
    write_tower(path, metadata=newer_card())


REFUSED: dict[str, tuple[Any, str]] = {
    "no such file": (no_file, "No such file"),
    "a folder": (lambda path: path.mkdir(), "directory"),
    "0 bytes": (lambda path: path.touch(), "empty"),
    "text": (lambda path: path.write_text("not a model"), "ONNX"),
    "cut short": (lambda path: path.write_bytes(write_tower(path).read_bytes()[:200]), "ONNX"),
    "not ours": (foreign, "no 'artsim' metadata.*artsim export"),
    "a rule for more values than there are": (too_wide, "adapts 6 values of an embedding, but there are only 4"),
    "newer": (newer, "contract 3"),
    "bad JSON": (lambda path: write_tower(path, metadata="{"), "metadata"),
    "another input name": (lambda path: write_tower(path, input_name="pixels"), "pixels"),
    "another output name": (lambda path: write_tower(path, output_name="Identity:0"), "Identity:0"),
    "another input type": (lambda path: write_tower(path, input_type=TensorProto.FLOAT), r"tensor\(float\)"),
    "another size than the card's": (lambda path: write_tower(path, metadata=card(image_size=32)), "16, 16"),
    "a fixed batch": (lambda path: write_tower(path, batch=1), r"\[1, 16"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("opened", [open_tower, read_card])
def test_what_is_no_tower_is_refused(tmp_path: Path, name: str, opened: Any) -> None:
    make, message = REFUSED[name]
    path = tmp_path / "tower.onnx"
    make(path)
    with pytest.raises(ModelError, match=f"(?s)^{path}: .*{message}"):
        opened(path)


def test_embeddings_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    tower = open_tower(write_tower(tmp_path / "tower.onnx", scale=float("nan")), "cpu")
    with pytest.raises(ModelError, match="finite"):
        tower(np.zeros((1, SIZE, SIZE, 3), dtype=np.uint8))


def test_a_session_that_fails_says_on_what(tmp_path: Path) -> None:
    tower = open_tower(write_tower(tmp_path / "tower.onnx"), "cpu")
    with pytest.raises(DeviceError, match="CPUExecutionProvider failed on a batch of 2"):
        tower(np.zeros((2, SIZE + 1, SIZE, 3), dtype=np.uint8))


def test_cuda_without_a_gpu_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "gpu_count", lambda: 0)
    with pytest.raises(DeviceError, match=r"CUDA can't be used: .*(driver|onnxruntime-gpu).*--device cpu"):
        open_tower(write_tower(tmp_path / "tower.onnx"), "cuda")


def test_auto_without_a_gpu_is_the_cpu_and_no_reason_to_talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "gpu_count", lambda: 0)
    tower = open_tower(write_tower(tmp_path / "tower.onnx"))
    assert (tower.provider, tower.note) == (device.CPU, None)


@pytest.fixture
def broken_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU that seems to work, but whose sessions fall back to the CPU."""
    monkeypatch.setattr(session, "gpu_count", lambda: 1)
    monkeypatch.setattr(session, "cuda_obstacle", lambda: None)
    monkeypatch.setattr(session, "load_cuda_libraries", lambda: "Failed to load libcudnn.so.9")
    real = session._session  # private, because only a broken GPU makes onnxruntime fall back

    def fallen_back(path: Path, data: bytes, providers: list[str], options: Any = None) -> Any:
        return real(path, data, [device.CPU], options)

    monkeypatch.setattr(session, "_session", fallen_back)


@pytest.mark.usefixtures("broken_gpu")
def test_auto_on_a_gpu_that_does_not_work_says_why(tmp_path: Path) -> None:
    tower = open_tower(write_tower(tmp_path / "tower.onnx"))
    assert tower.provider == device.CPU
    assert tower.note is not None
    assert "libcudnn.so.9" in tower.note


@pytest.mark.usefixtures("broken_gpu")
def test_cuda_on_a_gpu_that_does_not_work_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"libcudnn\.so\.9"):
        open_tower(write_tower(tmp_path / "tower.onnx"), "cuda")


@pytest.mark.usefixtures("broken_gpu")
def test_a_broken_model_is_a_model_error_also_on_a_gpu(tmp_path: Path) -> None:
    (tmp_path / "tower.onnx").write_text("no model")
    with pytest.raises(ModelError, match="ONNX"):
        open_tower(tmp_path / "tower.onnx", "cuda")


def test_onnxruntimes_talk_about_libraries_is_kept_off_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    device.load_cuda_libraries()
    assert capsys.readouterr().out == ""


def test_an_operator_that_does_not_exist_is_a_model_error(tmp_path: Path) -> None:
    path = tmp_path / "tower.onnx"
    model = onnx.load(write_tower(path))
    model.graph.node.append(helper.make_node("Impressionism", ["floats"], ["monet"]))
    onnx.save(model, str(path))
    with pytest.raises(ModelError, match="ONNX"):
        open_tower(path, "cpu")


def test_a_graph_that_returns_another_shape_than_it_declares_is_refused(tmp_path: Path) -> None:
    tower = open_tower(changed(tmp_path / "tower.onnx", one_row_for_all), "cpu")
    assert tower(np.zeros((1, SIZE, SIZE, 3), dtype=np.uint8)).shape == (1, WIDTH)
    with pytest.raises(ModelError, match=r"returns float32 of shape \(1, 8\) for 3 images .*\(3, 8\)"):
        tower(np.zeros((3, SIZE, SIZE, 3), dtype=np.uint8))


def test_a_batch_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_options, "SECONDS_PER_BATCH", 0.2)
    monkeypatch.setattr(session_options, "SECONDS_PER_IMAGE", 0.0)
    tower = open_tower(changed(tmp_path / "tower.onnx", endless_loop), "cpu")
    with pytest.raises(ModelError, match=r"a batch of 1 took more than 0 s and was ended"):
        tower(np.zeros((1, SIZE, SIZE, 3), dtype=np.uint8))


def test_a_graph_that_asks_for_more_memory_than_there_is_fails_before_it_gets_it(tmp_path: Path) -> None:
    tower = open_tower(changed(tmp_path / "tower.onnx", grows_by(2**40)), "cpu")
    with pytest.raises(DeviceError, match=r"(?s)failed on a batch of 1: .*memory"):
        tower(np.zeros((1, SIZE, SIZE, 3), dtype=np.uint8))


def test_the_memory_of_a_run_has_a_limit(tmp_path: Path) -> None:
    path = changed(tmp_path / "tower.onnx", grows_by(2**23))  # 256 MB
    code = (
        "import sys, numpy as np\nfrom pathlib import Path\nfrom artsim.scoring import session_options\n"
        "session_options.memory_limit = lambda: int(sys.argv[2])\nfrom artsim.scoring.session import open_tower\n"
        f"open_tower(Path(sys.argv[1]), 'cpu')(np.zeros((1, {SIZE}, {SIZE}, 3), dtype=np.uint8))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(2**28)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "artsim.errors.DeviceError" in done.stderr
    assert "memory" in done.stderr
    tower = open_tower(path, "cpu")  # within the limit of this machine
    assert tower(np.zeros((1, SIZE, SIZE, 3), dtype=np.uint8)).shape == (1, WIDTH)


def test_metadata_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = write_tower(tmp_path / "tower.onnx")
    path.write_bytes(path.read_bytes().replace(b'"recipe": "test"', b'"recipe": "te\xff\xfe"'))
    with pytest.raises(ModelError, match=f"^{path}: "):
        open_tower(path, "cpu")


def test_the_digest_is_that_of_the_bytes_that_were_opened(tmp_path: Path) -> None:
    path = write_tower(tmp_path / "tower.onnx")
    digest = file_sha256(path)
    tower = open_tower(path, "cpu")
    write_tower(path, metadata=card(threshold=0.5))
    assert tower.sha256 == digest != file_sha256(path)


def test_too_little_memory_to_open_a_tower_is_no_fault_of_the_tower(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("Exception during initialization: std::bad_alloc")

    path = write_tower(tmp_path / "tower.onnx")
    monkeypatch.setattr(onnxruntime, "InferenceSession", fail)
    with pytest.raises(DeviceError, match=f"^{path}: there is too little memory to open it .*Close other programs"):
        open_tower(path, "cpu")
