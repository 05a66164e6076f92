from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray
from scipy.special import erf

from artsim.errors import GateError
from artsim.export.convert import convert
from artsim.training.networks.backbones import build_backbone
from artsim.training.networks.checkpoints import load_tower, save_tower
from artsim.training.networks.features import LabelledFeatures
from artsim.training.networks.heads import build_readout, with_head
from artsim.training.networks.readout import fit_projection
from artsim.training.recipes import RECIPES, BackboneName


def pictures(count: int, size: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def tower_on(name: BackboneName, size: int) -> keras.Model:
    keras.utils.set_random_seed(0)
    images = keras.Input((size, size, 3), dtype="uint8")
    maps = build_backbone(name, size, "none")(layers.Rescaling(1.0)(images))
    pooled = layers.Concatenate()([layers.GlobalAveragePooling2D()(each) for each in maps])
    return keras.Model(images, layers.Dense(16)(pooled))


def run(proto: onnx.ModelProto, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    assert [value.name for value in proto.graph.input] == ["images"]
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"images": images})[0])


def test_a_readout_converts_with_its_compression() -> None:
    keras.utils.set_random_seed(0)
    images = keras.Input((16, 16, 3), dtype="uint8")
    maps = layers.Conv2D(24, 3)(layers.Rescaling(1 / 255)(images))  # of either sign
    network = keras.Model(images, layers.GlobalAveragePooling2D()(maps))
    works = pictures(12, 16)
    features = network.predict_on_batch(works)
    labels = np.repeat(np.arange(3), 4)
    train = LabelledFeatures.without_views(features, labels)
    readout = build_readout(fit_projection(features, labels, 8), train, 8, RECIPES["compact"])
    tower = with_head(network, readout, "tower")
    np.testing.assert_allclose(run(convert(tower), works), tower.predict_on_batch(works), atol=1e-5)


@pytest.mark.slow  # tests/jobs/test_train_recipes.py exports two of them in the fast suite
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("efficientnet-lite0", 64),
        ("efficientnet-lite2", 75),
        ("mobilenet", 64),
        ("efficientnetv2-b0", 64),
        ("convnext-tiny", 64),
        ("dinov2-small", 56),
    ],
)
def test_a_tower_on_a_backbone_is_saved_read_and_exported(name: BackboneName, size: int, tmp_path: Path) -> None:
    tower, images = tower_on(name, size), pictures(5, size)
    expected = tower.predict_on_batch(images)
    save_tower(tower, tmp_path / "best.keras")
    read = load_tower(tmp_path / "best.keras")
    np.testing.assert_array_equal(read.predict_on_batch(images), expected)
    proto = convert(read)
    allowed = 1e-5 * np.abs(expected).max()
    for count in (1, 5):
        np.testing.assert_allclose(run(proto, images[:count]), expected[:count], rtol=0, atol=allowed)


@pytest.mark.slow
def test_a_checkpoint_of_dinov2_is_read_by_a_process_that_has_not_imported_keras_hub(tmp_path: Path) -> None:
    save_tower(tower_on("dinov2-small", 56), tmp_path / "best.keras")
    code = (
        "import sys, pathlib\n"
        "from artsim.training.networks.checkpoints import load_tower\n"
        "assert 'keras_hub' not in sys.modules\n"
        "print(load_tower(pathlib.Path(sys.argv[1])).output_shape)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "best.keras")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "(None, 16)\n"


def test_exact_gelu_and_plain_tensors_convert() -> None:
    images = keras.Input((4, 4, 3), dtype="uint8")
    # This layer keeps its mean as a plain tensor, which must not become an input of the graph.
    x = layers.Normalization(mean=[127.5] * 3, variance=[40.0**2] * 3)(images)
    tower = keras.Model(images, layers.Flatten()(layers.Activation("gelu")(x)))
    proto = convert(tower)
    found = run(proto, pictures(5, 4))
    x = (pictures(5, 4).reshape(5, -1) - 127.5) / 40.0
    np.testing.assert_allclose(found, x * (1 + erf(x / np.sqrt(2))) / 2, rtol=0, atol=2e-6)
    tanh = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    assert np.abs(found - tanh).max() > 1e-4


class Digamma(layers.Layer):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return tf.math.digamma(x)


def test_an_operation_that_onnx_does_not_have_is_refused() -> None:
    images = keras.Input((4, 4, 3), dtype="uint8")
    tower = keras.Model(images, layers.Flatten()(Digamma()(layers.Rescaling(1.0, offset=1.0)(images))))
    with pytest.raises(GateError, match="uses Digamma, which ONNX opset 17 does not have"):
        convert(tower)
