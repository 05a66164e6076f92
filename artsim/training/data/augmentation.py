"""Augmentation of paintings, as other photographs would show them: uint8 (B, S', S', 3) RGB -> uint8 (B, S, S, 3).

The artist's style stays. Framing, tilt, light, colour cast, sharpness, compression and damage change. Every operation
but JPEG takes a whole batch at once, because augmentation shares its cores with the training step. The letterbox bars
stay straight and black, as the tower sees them when it scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from artsim.training.recipes import AugmentName

# Lowest quality (visible blocks) and highest quality (hardly a change); the highest itself is never drawn.
JPEG_QUALITY = (40, 96)
LUMA = (0.2989, 0.5870, 0.1140)  # weights of R, G and B in grey: ITU-R BT.601, as tf.image.rgb_to_grayscale has them


@dataclass(frozen=True)
class Strength:
    """How far each property of a photograph varies. 0 turns a change off. The defaults are the level `light`."""

    crop: float = 0.2  # share of the side: a crop is at least 1 - crop wide
    mirror: float = 0.5  # probability
    rotation: float = 0.0  # largest angle in degrees, to either side
    saturation: float = 0.25  # a factor between 1 / (1 + saturation) and 1 + saturation
    contrast: float = 0.25  # a factor in the same range
    brightness: float = 0.1  # largest shift up or down, as a share of white
    cast: float = 0.0  # one factor for each channel, in the range of saturation
    tone: float = 0.0  # largest change of the middle tones; 0.3 is about a gamma of 0.8 or 1.25; at most 1
    sharpness: float = 0.0  # at 1 an image is between blurred by a 3 x 3 binomial and sharpened as much
    jpeg: float = 0.0  # probability
    erasing: float = 0.0  # share of the side: a rectangle up to this size is filled with the mean colour


LEVELS: dict[AugmentName, Strength] = {
    "none": Strength(crop=0, mirror=0, saturation=0, contrast=0, brightness=0),
    "light": Strength(),
    "photograph": Strength(
        crop=0.4, rotation=4, saturation=0.4, contrast=0.4, cast=0.1, tone=0.3, sharpness=0.8, jpeg=0.5, erasing=0.4
    ),
}


def augment(paintings: tf.Tensor, size: int, strength: Strength, seed: tf.Tensor) -> tf.Tensor:
    """One random view of each painting, uint8 (B, S, S, 3). Changes of strength 0 are not in the graph.

    Args:
        paintings: uint8 (B, S', S', 3).
        size: S in px.
        strength: how far each property varies.
        seed: int64 (2,). The same seed gives the same views.
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
    """Random numbers for a batch. Each call uses a stream of its own."""

    def __init__(self, count: tf.Tensor, seed: tf.Tensor) -> None:
        self.count = count
        self.seed = tf.cast(seed, tf.int64)
        self.calls = 0

    def between(self, low: float, high: float, *shape: int) -> tf.Tensor:
        """Uniform float32 (B, *shape)."""
        self.calls += 1
        stream = tf.random.experimental.stateless_fold_in(self.seed, self.calls)
        return tf.random.stateless_uniform((self.count, *shape), stream, low, high)

    def factor(self, spread: float, *shape: int) -> tf.Tensor:
        """Uniform float32 (B, *shape) from 1 / (1 + spread) to 1 + spread."""
        return self.between(1 / (1 + spread), 1 + spread, *shape)

    def chance(self, share: float, *shape: int) -> tf.Tensor:
        """Bool (B, *shape), true with the probability `share`."""
        return self.between(0.0, 1.0, *shape) < share


def _framed(paintings: tf.Tensor, size: int, strength: Strength, draw: _Draw) -> tuple[tf.Tensor, tf.Tensor]:
    """Crop, mirror and rotate paintings (B, S', S', 3) by one bilinear resampling.

    Returns:
        the views, float32 (B, S, S, 3), and a mask bool (B, S, S): false on the letterbox bars.
    """
    source = tf.shape(paintings)[1]
    whole = tf.cast(source, tf.float32)
    side = draw.between(1 - strength.crop, 1.0, 1) * whole  # (B, 1)
    corner = draw.between(0.0, 1.0, 2) * (whole - side)  # (B, 2): left, top
    step = side / size  # a pixel of the view, in pixels of the painting
    first = corner + step / 2 - 0.5  # (B, 2): the centre of the view's first pixel
    across = tf.where(draw.chance(strength.mirror, 1), -step, step)
    first_x = tf.where(across < 0, first[:, :1] + side - step, first[:, :1])
    number = tf.range(size, dtype=tf.float32)
    x, y = first_x + across * number, first[:, 1:] + step * number  # (B, S) each

    in_rows = tf.reduce_max(paintings, axis=(2, 3)) > 0  # (B, S')
    in_columns = tf.reduce_max(tf.reduce_max(paintings, axis=1), axis=2) > 0
    rows, columns = (
        tf.gather(inside, tf.clip_by_value(tf.cast(tf.round(at), tf.int32), 0, source - 1), batch_dims=1)
        for inside, at in ((in_rows, y), (in_columns, x))
    )
    transforms = _transform(
        across, step, first_x, first[:, 1:], (whole - 1) / 2, _rotation(in_rows, in_columns, strength, draw)
    )
    crops = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(paintings, tf.float32),
        transforms=transforms,
        output_shape=[size, size],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )
    return crops, rows[:, :, None] & columns[:, None, :]


def _rotation(
    in_rows: tf.Tensor, in_columns: tf.Tensor, strength: Strength, draw: _Draw
) -> tuple[tf.Tensor, tf.Tensor]:
    """Cosine and sine of the angle, (B, 1) each, times the zoom that keeps the picture's corners filled.

    `in_rows` and `in_columns` are bool (B, S'): false on the letterbox bars.
    """
    if not strength.rotation:
        return tf.ones((draw.count, 1)), tf.zeros((draw.count, 1))
    limit = np.deg2rad(strength.rotation)
    angle = draw.between(-limit, limit, 1)
    height, width = (  # in px, between the centres of the outermost pixels
        tf.maximum(tf.reduce_sum(tf.cast(inside, tf.float32), axis=1, keepdims=True) - 1, 1.0)
        for inside in (in_rows, in_columns)
    )
    longer, shorter = tf.maximum(height, width), tf.minimum(height, width)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    zoom = shorter / (longer * tf.abs(sine) + shorter * cosine)
    return zoom * cosine, zoom * sine


def _transform(
    across: tf.Tensor,
    down: tf.Tensor,
    first_x: tf.Tensor,
    first_y: tf.Tensor,
    middle: tf.Tensor,
    rotation: tuple[tf.Tensor, tf.Tensor],
) -> tf.Tensor:
    """Projective transforms (B, 8) from a view's pixel to a painting's pixel, rotated about the painting's middle."""
    cosine, sine = rotation
    x, y = first_x - middle, first_y - middle
    row_x = [cosine * across, -sine * down, cosine * x - sine * y + middle]
    row_y = [sine * across, cosine * down, sine * x + cosine * y + middle]
    zeros = tf.zeros_like(across)
    return tf.concat([*row_x, *row_y, zeros, zeros], axis=1)


def _blurred(crops: tf.Tensor) -> tf.Tensor:
    """Crops (B, S, S, 3), blurred by a 3 x 3 binomial filter. The outermost pixels are repeated."""
    binomial = np.outer([1, 2, 1], [1, 2, 1]).astype(np.float32) / 16
    kernel = np.repeat(binomial[:, :, None, None], 3, axis=2)
    padded = tf.pad(crops, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="SYMMETRIC")
    return tf.nn.depthwise_conv2d(padded, kernel, [1, 1, 1, 1], "VALID")


def _compressed(crops: tf.Tensor, strength: Strength, draw: _Draw) -> tf.Tensor:
    """Crops uint8 (B, S, S, 3), a share of them saved as JPEG and read back."""
    low, high = JPEG_QUALITY
    quality = tf.cast(draw.between(low, high), tf.int32)

    def saved(image: tf.Tensor, chosen: tf.Tensor, quality: tf.Tensor) -> tf.Tensor:
        return tf.cond(chosen, lambda: tf.image.adjust_jpeg_quality(image, quality), lambda: image)

    each = (crops, draw.chance(strength.jpeg), quality)
    return tf.map_fn(lambda one: saved(*one), each, fn_output_signature=tf.TensorSpec(crops.shape[1:], tf.uint8))


def _mean_colour(crops: tf.Tensor, picture: tf.Tensor) -> tf.Tensor:
    """Mean colour (B, 1, 1, 3) of crops (B, S, S, 3) inside the picture, bool (B, S, S)."""
    count = tf.shape(crops)[0]
    weight = tf.reshape(tf.cast(picture, tf.float32), (count, 1, -1))
    total = tf.matmul(weight, tf.reshape(crops, (count, -1, 3)))  # (B, 1, 3)
    return (total / tf.maximum(tf.reduce_sum(weight, axis=2, keepdims=True), 1.0))[:, None]


def _rectangles(size: int, strength: Strength, draw: _Draw) -> tf.Tensor:
    """Bool (B, S, S, 1): true in one random rectangle of each view."""
    sides = draw.between(0.0, strength.erasing, 2)
    start = draw.between(0.0, 1.0, 2) * (1 - sides)
    at = (tf.range(size, dtype=tf.float32) + 0.5) / size
    inside = (at >= start[:, :, None]) & (at < (start + sides)[:, :, None])  # (B, 2, S)
    return (inside[:, 0, :, None] & inside[:, 1, None, :])[..., None]


def _relit(crops: tf.Tensor, mean: tf.Tensor, strength: Strength, draw: _Draw) -> tf.Tensor:
    """Crops (B, S, S, 3) after saturation, colour cast, contrast about the mean, and brightness, in that order.

    All but brightness and the contrast's centre are one 3 x 3 matrix for each crop.
    """
    saturation = draw.factor(strength.saturation, 1, 1)
    grey = tf.constant(LUMA)[:, None]  # (3, 1): the weight of each channel in grey
    colours = saturation * tf.eye(3) + (1 - saturation) * grey
    colours *= draw.factor(strength.cast, 1, 3)  # (B, 3, 3)
    contrast = draw.factor(strength.contrast, 1, 1)
    middle = tf.reduce_mean(tf.matmul(mean[:, 0], colours), axis=2, keepdims=True)  # (B, 1, 1)
    light = 255 * draw.between(-strength.brightness, strength.brightness, 1, 1)
    flat = tf.reshape(crops, (draw.count, -1, 3))
    return tf.reshape(tf.matmul(flat, contrast * colours) + (middle * (1 - contrast) + light), tf.shape(crops))


def _to_uint8(values: tf.Tensor) -> tf.Tensor:
    return tf.saturate_cast(tf.round(values), tf.uint8)
