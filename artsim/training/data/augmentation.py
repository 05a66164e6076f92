"""Views of paintings as other photographs would show them: uint8 (N, S', S', 3) -> uint8 (N, S, S, 3).

What makes the hand stays; framing, tilt, light, colour cast, lens, compression and damage change. Whole batches go
through each operation at once, but for JPEG: augmentation shares its cores with the training step. The bars of the
letterbox stay straight and black, as the tower will see them in use.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from artsim.training.recipes import AugmentName

JPEG_QUALITY = (40, 96)  # from visibly blocked to hardly changed; the upper end is left out
LUMA = (0.2989, 0.5870, 0.1140)
BLOCK = 64  # views computed at once outside a dataset


@dataclass(frozen=True)
class Strength:
    """How far each property of a photograph varies; 0 keeps it. The defaults are the level `light`."""

    crop: float = 0.2  # of the side: the smallest crop is 1 - crop wide
    mirror: float = 0.5  # chance
    rotation: float = 0.0  # degrees, to either side
    saturation: float = 0.25  # factors up to 1 + this, or down to 1 / (1 + this)
    contrast: float = 0.25  # likewise
    brightness: float = 0.1  # of white, up or down
    cast: float = 0.0  # a factor for each channel, as for saturation
    tone: float = 0.0  # middle tones, up or down, as a gamma does; 0.3 is about a gamma of 0.8 or 1.25; at most 1
    sharpness: float = 0.0  # 1: from blurred with a 3 x 3 binomial to sharpened as much
    jpeg: float = 0.0  # chance
    erasing: float = 0.0  # of the side: the largest rectangle that is filled with the mean colour


LEVELS: dict[AugmentName, Strength] = {
    "none": Strength(crop=0, mirror=0, saturation=0, contrast=0, brightness=0),
    "light": Strength(),
    "photograph": Strength(
        crop=0.4, rotation=4, saturation=0.4, contrast=0.4, cast=0.1, tone=0.3, sharpness=0.8, jpeg=0.5, erasing=0.4
    ),
}


def views(pixels: NDArray[np.uint8], size: int, strength: Strength, seed: int, number: int) -> NDArray[np.uint8]:
    """One view of each painting, for whoever wants them as an array.

    Args:
        pixels: uint8 (N, S', S', 3); read block by block, so it may lie on disk.
        size: S, px.
        strength: of the augmentation.
        seed: of its random choices.
        number: which view; the same seed and number give the same views of the same paintings.
    """
    result = np.empty((len(pixels), size, size, 3), np.uint8)
    for start in range(0, len(pixels), BLOCK):
        block = slice(start, start + BLOCK)
        seeds = np.array([seed, (number << 32) + start], np.int64)
        result[block] = _compiled(size, strength)(pixels[block], seeds)
    return result


@cache
def _compiled(size: int, strength: Strength) -> Any:
    signature = (tf.TensorSpec((None, None, None, 3), tf.uint8), tf.TensorSpec((2,), tf.int64))
    return tf.function(lambda paintings, seed: augment(paintings, size, strength, seed), input_signature=signature)


def augment(paintings: Any, size: int, strength: Strength, seed: Any) -> Any:
    """A random view of each painting; the graph has only what the strength asks for.

    Args:
        paintings: uint8 (B, S', S', 3).
        size: S of the views, px.
        strength: of each transformation.
        seed: int64 (2,); the same seed gives the same views.
    """
    draw = _Draw(tf.shape(paintings)[0], seed)
    crops, picture = _framed(paintings, size, strength, draw)
    if strength.sharpness:
        crops += draw.between(-strength.sharpness, strength.sharpness, 1, 1, 1) * (crops - _blurred(crops))
    if strength.jpeg:
        crops = tf.cast(_compressed(_to_uint8(crops), strength, draw), tf.float32)
    if strength.tone:
        bend = draw.between(-strength.tone, strength.tone, 1, 1, 1) / 255
        crops += bend * crops * (255 - crops)
    mean = _mean_colour(crops, picture)
    if strength.erasing:
        crops = tf.where(_rectangles(size, strength, draw), mean, crops)
    return _to_uint8(_relit(crops, mean, strength, draw) * tf.cast(picture, tf.float32)[..., None])


class _Draw:
    """Random numbers for a batch, each call from a stream of its own."""

    def __init__(self, count: Any, seed: Any) -> None:
        self.count = count
        self.seed = tf.cast(seed, tf.int64)
        self.calls = 0

    def between(self, low: float, high: float, *shape: int) -> Any:
        """Uniform float32 (B, *shape)."""
        self.calls += 1
        stream = tf.random.experimental.stateless_fold_in(self.seed, self.calls)
        return tf.random.stateless_uniform((self.count, *shape), stream, low, high)

    def factor(self, spread: float, *shape: int) -> Any:
        """Uniform float32 (B, *shape) from 1 / (1 + spread) to 1 + spread."""
        return self.between(1 / (1 + spread), 1 + spread, *shape)

    def chance(self, share: float, *shape: int) -> Any:
        """True for about this share of (B, *shape)."""
        return self.between(0.0, 1.0, *shape) < share


def _framed(paintings: Any, size: int, strength: Strength, draw: _Draw) -> tuple[Any, Any]:
    """Crop, mirror and rotate by one bilinear resampling.

    Returns:
        views float32 (B, S, S, 3), and where the picture is: bool (B, S, S), false on the letterbox's bars.
    """
    source = tf.shape(paintings)[1]
    whole = tf.cast(source, tf.float32)
    side = draw.between(1 - strength.crop, 1.0, 1) * whole  # (B, 1)
    corner = draw.between(0.0, 1.0, 2) * (whole - side)  # (B, 2): left, top
    step = side / size  # a pixel of the view, in pixels of the painting
    first = corner + step / 2 - 0.5  # (B, 2): the centre of the view's first pixel
    across = tf.where(draw.chance(strength.mirror, 1), -step, step)
    first_x = tf.where(across < 0, first[:, :1] + side - step, first[:, :1])
    places = tf.range(size, dtype=tf.float32)
    x, y = first_x + across * places, first[:, 1:] + step * places  # (B, S) each

    in_rows = tf.reduce_max(paintings, axis=(2, 3)) > 0  # (B, S')
    in_columns = tf.reduce_max(tf.reduce_max(paintings, axis=1), axis=2) > 0
    rows, columns = (
        tf.gather(inside, tf.clip_by_value(tf.cast(tf.round(at), tf.int32), 0, source - 1), batch_dims=1)
        for inside, at in ((in_rows, y), (in_columns, x))
    )
    turn = _turned(across, step, first_x, first[:, 1:], (whole - 1) / 2, _rotation(in_rows, in_columns, strength, draw))
    crops = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(paintings, tf.float32),
        transforms=turn,
        output_shape=[size, size],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )
    return crops, rows[:, :, None] & columns[:, None, :]


def _rotation(in_rows: Any, in_columns: Any, strength: Strength, draw: _Draw) -> tuple[Any, Any]:
    """(B, 1) each: cosine and sine of the angle, times the zoom that keeps the picture's corners filled."""
    if not strength.rotation:
        return tf.ones((draw.count, 1)), tf.zeros((draw.count, 1))
    limit = np.deg2rad(strength.rotation)
    angle = draw.between(-limit, limit, 1)
    height, width = (  # between the outermost pixels' centres
        tf.maximum(tf.reduce_sum(tf.cast(inside, tf.float32), axis=1, keepdims=True) - 1, 1.0)
        for inside in (in_rows, in_columns)
    )
    longer, shorter = tf.maximum(height, width), tf.minimum(height, width)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    zoom = shorter / (longer * tf.abs(sine) + shorter * cosine)
    return zoom * cosine, zoom * sine


def _turned(across: Any, down: Any, first_x: Any, first_y: Any, middle: Any, rotation: tuple[Any, Any]) -> Any:
    """(B, 8): the projective transform from a pixel of the view to one of the painting, turned about its middle."""
    cosine, sine = rotation
    x, y = first_x - middle, first_y - middle
    row_x = [cosine * across, -sine * down, cosine * x - sine * y + middle]
    row_y = [sine * across, cosine * down, sine * x + cosine * y + middle]
    nothing = tf.zeros_like(across)
    return tf.concat([*row_x, *row_y, nothing, nothing], axis=1)


def _blurred(crops: Any) -> Any:
    """By a 3 x 3 binomial; the outermost pixels are repeated."""
    binomial = np.outer([1, 2, 1], [1, 2, 1]).astype(np.float32) / 16
    kernel = np.repeat(binomial[:, :, None, None], 3, axis=2)
    padded = tf.pad(crops, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="SYMMETRIC")
    return tf.nn.depthwise_conv2d(padded, kernel, [1, 1, 1, 1], "VALID")


def _compressed(crops: Any, strength: Strength, draw: _Draw) -> Any:
    """A share of the images, uint8, saved as JPEG and read back."""
    low, high = JPEG_QUALITY
    quality = tf.cast(draw.between(low, high), tf.int32)

    def saved(image: Any, chosen: Any, quality: Any) -> Any:
        return tf.cond(chosen, lambda: tf.image.adjust_jpeg_quality(image, quality), lambda: image)

    each = (crops, draw.chance(strength.jpeg), quality)
    return tf.map_fn(lambda one: saved(*one), each, fn_output_signature=tf.TensorSpec(crops.shape[1:], tf.uint8))


def _mean_colour(crops: Any, picture: Any) -> Any:
    """(B, 1, 1, 3) of the picture between the bars."""
    count = tf.shape(crops)[0]
    weight = tf.reshape(tf.cast(picture, tf.float32), (count, 1, -1))
    total = tf.matmul(weight, tf.reshape(crops, (count, -1, 3)))  # (B, 1, 3)
    return (total / tf.maximum(tf.reduce_sum(weight, axis=2, keepdims=True), 1.0))[:, None]


def _rectangles(size: int, strength: Strength, draw: _Draw) -> Any:
    """Bool (B, S, S, 1): true in one rectangle of each view, of any size up to the strength's."""
    sides = draw.between(0.0, strength.erasing, 2)
    start = draw.between(0.0, 1.0, 2) * (1 - sides)
    at = (tf.range(size, dtype=tf.float32) + 0.5) / size
    inside = (at >= start[:, :, None]) & (at < (start + sides)[:, :, None])  # (B, 2, S)
    return (inside[:, 0, :, None] & inside[:, 1, None, :])[..., None]


def _relit(crops: Any, mean: Any, strength: Strength, draw: _Draw) -> Any:
    """Saturation, then colour cast, then contrast about the mean, then brightness: together one 3 x 3 matrix."""
    saturation = draw.factor(strength.saturation, 1, 1)
    grey = tf.constant(LUMA)[:, None]  # (3, 1): each channel's part in every channel of the grey picture
    colours = saturation * tf.eye(3) + (1 - saturation) * grey
    colours *= draw.factor(strength.cast, 1, 3)  # (B, 3, 3)
    contrast = draw.factor(strength.contrast, 1, 1)
    middle = tf.reduce_mean(tf.matmul(mean[:, 0], colours), axis=2, keepdims=True)  # (B, 1, 1)
    light = 255 * draw.between(-strength.brightness, strength.brightness, 1, 1)
    flat = tf.reshape(crops, (draw.count, -1, 3))
    return tf.reshape(tf.matmul(flat, contrast * colours) + (middle * (1 - contrast) + light), tf.shape(crops))


def _to_uint8(values: Any) -> Any:
    return tf.saturate_cast(tf.round(values), tf.uint8)
