from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from artsim.errors import ModelError, UsageError
from artsim.training.networks import backbones
from artsim.training.networks.backbones import build_backbone
from artsim.training.networks.checkpoints import load_tower
from artsim.training.recipes import BackboneName
from tests.training.networks.makers import APPLICATIONS, SIZE, assert_close, mobilenet, outputs, pixels, shaken


@pytest.mark.parametrize("name", ["mobilenet.weights.h5", "mobilenet.h5"])
def test_mobilenet_gives_the_maps_of_its_library(weights: Path, network: keras.Model, name: str) -> None:
    backbone = build_backbone("mobilenet", SIZE, str(weights.with_name(name)))
    wanted = [network.get_layer(f"conv_pw_{block}_relu").output for block in range(1, 13)]
    scaled = APPLICATIONS.mobilenet.preprocess_input(pixels(SIZE).copy())
    assert_close(backbone.predict_on_batch(pixels(SIZE)), outputs(network, wanted, scaled))
    # Nothing after the last map is there to be computed or exported: block 13 has a million parameters.
    assert backbone.count_params() < network.count_params() - 1_000_000


@pytest.mark.slow
def test_efficientnetv2_gives_the_maps_of_its_library(tmp_path: Path) -> None:
    shape = (SIZE, SIZE, 3)
    network = shaken(APPLICATIONS.EfficientNetV2B0(include_top=False, weights=None, input_shape=shape))
    network.save_weights(tmp_path / "b0.weights.h5")
    maps = build_backbone("efficientnetv2-b0", SIZE, str(tmp_path / "b0.weights.h5")).predict_on_batch(pixels(SIZE))
    ends = ["1a_project_activation", "2b_add", "3b_add", "4c_add", "5e_add", "6h_add"]
    wanted = [*(network.get_layer(f"block{end}").output for end in ends), network.output]
    assert_close(maps, outputs(network, wanted, pixels(SIZE)))


@pytest.mark.slow
def test_convnext_gives_the_maps_of_its_library(tmp_path: Path) -> None:
    shape = (SIZE, SIZE, 3)
    network = shaken(APPLICATIONS.ConvNeXtTiny(include_top=False, weights=None, input_shape=shape))
    network.save_weights(tmp_path / "tiny.weights.h5")
    maps = build_backbone("convnext-tiny", SIZE, str(tmp_path / "tiny.weights.h5")).predict_on_batch(pixels(SIZE))
    starts = [network.get_layer(f"convnext_tiny_stage_{stage}_block_0_depthwise_conv").input for stage in (1, 2, 3)]
    middle = network.get_layer("convnext_tiny_stage_2_block_5_depthwise_conv").input
    following = [
        *(network.get_layer(f"convnext_tiny_downsampling_block_{step}")(maps[at]) for step, at in enumerate((0, 1, 3))),
        maps[2],
        network.layers[-1](maps[4]),
    ]
    expected = outputs(network, [*starts, middle, network.output], pixels(SIZE))
    assert_close([np.asarray(each) for each in following], expected)


@pytest.mark.slow
@pytest.mark.parametrize("registers", [0, 4])
def test_dinov2_gives_the_patches_of_its_library(tmp_path: Path, registers: int) -> None:
    from keras_hub.models import DINOV2Backbone

    settings = {**backbones.DINOV2_SMALL, "num_register_tokens": registers}
    network = shaken(DINOV2Backbone(image_shape=(70, 70, 3), **settings))
    network.save_to_preset(str(tmp_path / "preset"))
    sources = [tmp_path / "preset"]
    if not registers:  # a file alone does not say that it has them
        sources.append(tmp_path / "preset" / "model.weights.h5")
    network.load_weights(tmp_path / "preset" / "model.weights.h5")  # position embeddings are kept at 518 px
    tokens = [network.layernorm(network.pyramid_outputs[f"stage{stage}"]) for stage in (2, 4, 6, 8, 10, 12)]
    scaled = ((pixels(70) / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)).astype(np.float32)
    expected = [each[:, 1 + registers :].reshape(2, 5, 5, 384) for each in outputs(network, tokens, scaled)]
    for source in sources:
        backbone = build_backbone("dinov2-small", 70, str(source))
        assert_close(backbone.predict_on_batch(pixels(70)), expected)


def test_mobilenet_reads_imagenet_weights_from_a_file() -> None:
    if not os.environ.get("ARTSIM_DATA"):
        pytest.skip("ARTSIM_DATA is not set: no pretrained weights here")
    path = Path(os.environ["ARTSIM_DATA"], "weights", "mobilenet_1_0_224_imagenet_to_pw12.weights.h5")
    maps = build_backbone("mobilenet", 256, str(path)).predict_on_batch(pixels(256))
    # What ImageNet taught it keeps every map alive, and the bound of ReLU6.
    assert all(0.05 < each.mean() < 3 and each.max() <= 6 for each in maps[:-1])


def of(build: Callable[[], keras.Model], suffix: str) -> Callable[[Path, Path], Path]:
    def write(folder: Path, weights: Path) -> Path:
        path = folder / f"other{suffix}"
        (keras.Model.save if suffix == ".h5" else keras.Model.save_weights)(build(), path)
        return path

    return write


def cut(share: float) -> Callable[[Path, Path], Path]:
    def write(folder: Path, weights: Path) -> Path:
        whole = weights.read_bytes()
        path = folder / "half.weights.h5"
        path.write_bytes(whole[: int(share * len(whole))])
        return path

    return write


def short_of_one(folder: Path, weights: Path) -> Path:
    path = folder / "short.weights.h5"
    path.write_bytes(weights.read_bytes())
    with h5py.File(path, "a") as file:
        del file["layers/batch_normalization_3/vars/2"]
    return path


def text(folder: Path, weights: Path) -> Path:
    path = folder / "page.h5"
    path.write_text("<html>Not found</html>")
    return path


def other_suffix(folder: Path, weights: Path) -> Path:
    path = folder / "weights.pb"
    path.write_bytes(b"")
    return path


UNFIT: dict[str, tuple[Callable[[Path, Path], Path], str]] = {
    "missing": (lambda folder, _: folder / "none.weights.h5", "no such file"),
    "a folder": (lambda folder, _: folder, "a folder, not a file"),
    "half": (cut(0.5), "or damaged"),
    "all but the end": (cut(0.999), "or damaged"),
    "empty": (cut(0.0), "not an HDF5 file"),
    "a page": (text, "not an HDF5 file"),
    "another format": (other_suffix, "end in .weights.h5 or .h5"),
    "an array missing": (short_of_one, "134 arrays, mobilenet has 135"),
    "narrower": (of(lambda: mobilenet(alpha=0.5), ".weights.h5"), "another network"),
    "narrower, old format": (of(lambda: mobilenet(alpha=0.5), ".h5"), "another network"),
    "with its classifier": (
        of(lambda: mobilenet(include_top=True, classes=5), ".weights.h5"),
        "137 arrays, mobilenet has 135",
    ),
    "with its classifier, old format": (of(lambda: mobilenet(include_top=True, classes=5), ".h5"), "another network"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_a_file_that_does_not_fit_is_refused(case: str, tmp_path: Path, weights: Path) -> None:
    write, message = UNFIT[case]
    path = write(tmp_path, weights)
    with pytest.raises(ModelError, match=message) as caught:
        build_backbone("mobilenet", SIZE, str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_no_preset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a folder that keras-hub saved"):
        build_backbone("dinov2-small", 70, str(tmp_path))


def test_a_preset_of_another_size_is_refused(tmp_path: Path) -> None:
    from keras_hub.models import DINOV2Backbone

    small = {**backbones.DINOV2_SMALL, "hidden_dim": 12, "intermediate_dim": 24, "num_layers": 2}
    DINOV2Backbone(image_shape=(70, 70, 3), **small).save_to_preset(str(tmp_path / "tiny"))
    with pytest.raises(ModelError, match=r"another network.*\(2, 12, 14\)"):
        build_backbone("dinov2-small", 70, str(tmp_path / "tiny"))


@pytest.mark.parametrize(
    ("name", "size", "weights", "said"),
    [
        ("mobilenet", SIZE, "imagnet", "there is none, imagenet, or a file"),
        ("mobilenet", SIZE, "dinov2_small", "there is none, imagenet, or a file"),
        ("dinov2-small", 70, "imagenet", "there is none, dinov2_small, or a file"),
        ("dinov2-small", SIZE, "none", "multiples of 14"),
        ("convnext-tiny", 32, "none", "64 or more"),
    ],
)
def test_weights_or_sizes_that_a_network_does_not_take_are_a_usage_error(
    name: BackboneName, size: int, weights: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        build_backbone(name, size, weights)


def test_without_keras_hub_the_error_names_the_extra_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(backbones, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'artsim\[hub\]'"):
        build_backbone("dinov2-small", 70, "none")
    weights = io.BytesIO()
    h5py.File(weights, "w").close()
    with zipfile.ZipFile(tmp_path / "best.keras", "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", '{"module": "keras_hub.src.models.dinov2.dinov2_layers"}')
        archive.writestr("model.weights.h5", weights.getvalue())
    with pytest.raises(UsageError, match=r"best\.keras: .*pip install 'artsim\[hub\]'"):
        load_tower(tmp_path / "best.keras")
