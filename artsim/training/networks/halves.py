"""A pretrained network in two halves: the lower one, which tuning leaves as it is, and the upper one.

Networks that are tuned on different works have their lower half in common. It takes most of the time, because its maps
are large. So it runs once for each painting. What it gives is kept, in files if it is much.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from artsim.large_arrays import has_room, new_array, release_pages
from artsim.shifted_views import ShiftedViews
from artsim.training.networks.features import FEATURE_BATCH, ImageInput, chosen_maps, pooled
from artsim.training.recipes import FeatureMaps, Recipe

MOST_KEPT_BYTES = 1 << 33  # for all works and views; above that, each fit runs the whole network. A setting


@dataclass(frozen=True)
class Halves:
    """Both halves of a network from `build_features`, with its weights.

    Attributes:
        lower: uint8 (N, S, S, 3) -> the first L features (N, L), then what `upper` takes: the map (N, h, w, C) between
            the halves, and the picture mask (N, h, w, 1) for each size of the upper half's maps.
        upper: -> the other features (N, F - L).
    """

    lower: keras.Model
    upper: keras.Model


def tuned_layers(network: keras.Model) -> list[keras.Layer]:
    """The layers that tuning changes: the second half of the layers with weights, without the batch norms.

    The statistics of a small batch are too noisy for batch norms.
    """
    weighted = weighted_layers(network)
    upper = weighted[len(weighted) // 2 :]
    return [layer for layer in upper if not isinstance(layer, layers.BatchNormalization)]


def freeze_lower_half(network: keras.Model) -> None:
    """Let training change the `tuned_layers` only."""
    tuned = {id(layer) for layer in tuned_layers(network)}
    for layer in weighted_layers(network):
        layer.trainable = id(layer) in tuned


def weighted_layers(network: keras.Model) -> list[keras.Layer]:
    """The layers with weights of a network and of the networks inside it, from input to output."""
    found: list[keras.Layer] = []
    for layer in network.layers:
        found += weighted_layers(layer) if isinstance(layer, keras.Model) else [layer] if layer.weights else []
    return found


def split(network: keras.Model, recipe: Recipe) -> Halves | None:
    """The halves of a network from `build_features`; None if no single map joins two halves that both give features.

    DINOv2 cannot be split. The lower half has no tuned layer, and it may have fewer layers than the upper one.
    """
    backbone = next(layer for layer in network.layers if isinstance(layer, keras.Model))
    found = _split_backbone(backbone, recipe.feature_maps)
    if found is None:
        return None
    below, above = found
    image = ImageInput.of(network.input_shape[1], round(recipe.enlarge * network.input_shape[1]))
    joint, *lower_maps = below(image.pixels)
    sizes = sorted({each.shape[1:3] for each in above.outputs}, reverse=True)
    masks = [image.mask_of_size(*size) for size in sizes]
    lower_features = pooled(lower_maps, [image.mask_of_size(*each.shape[1:3]) for each in lower_maps])
    lower = keras.Model(image.images, [lower_features, joint, *masks])
    given = [keras.Input(output.shape[1:]) for output in lower.outputs[1:]]
    upper_maps = _listed(above(given[0]))
    mask_of = dict(zip(sizes, given[1:], strict=True))
    return Halves(lower, keras.Model(given, pooled(upper_maps, [mask_of[each.shape[1:3]] for each in upper_maps])))


class LowerOutputs:
    """What the lower half of a network gives for N paintings; each is computed when its features are first needed.

    `shapes` are those of its outputs for one painting.
    """

    def __init__(self, halves: Halves, paintings: int) -> None:
        """`paintings` is N.

        Raises:
            OutputError: the disk has no room.
        """
        self._lower = halves.lower
        self.shapes = _shapes(halves)
        self._kept = [new_array((paintings, *shape), np.float32, "activations") for shape in self.shapes]
        self._computed = 0  # paintings, which are the first ones

    @staticmethod
    def can_be_kept(halves: Halves, paintings: int) -> bool:
        """Whether what the lower half gives for so many paintings may be kept."""
        needed = paintings * 4 * sum(math.prod(shape) for shape in _shapes(halves))
        return needed <= MOST_KEPT_BYTES and has_room(needed)

    def fill(
        self,
        upper: keras.Model,
        pixels: NDArray[np.uint8] | ShiftedViews,
        first: int,
        progress: Callable[[int, int], None],
        features: NDArray[np.float32],
    ) -> None:
        """Fill `features` (M, F) for M consecutive paintings. They are read only the first time.

        Args:
            upper: half of a network with this lower half.
            pixels: the paintings uint8 (M, S, S, 3).
            first: number of the first one, from 0. The features of all those before it must have been computed.
            progress: receives the number of paintings done, and M.
            features: the array to fill.
        """
        progress(0, len(pixels))
        for start in range(0, len(pixels), FEATURE_BATCH):
            stop = min(start + FEATURE_BATCH, len(pixels))
            rows = slice(first + start, first + stop)
            if rows.start >= self._computed:
                self._compute(pixels[start:stop], rows)
            lower_features, *given = (kept[rows] for kept in self._kept)
            upper_features = upper.predict_on_batch(given)[: stop - start]
            features[start:stop] = np.concatenate([lower_features, upper_features], axis=1)
            for array in (features, pixels):
                release_pages(array)
            self.release()
            progress(stop, len(pixels))

    def of(self, row: int) -> list[NDArray[np.float32]]:
        """What the lower half gives for one painting: its features (L,) and maps (h, w, C), as `Halves` names them."""
        if row >= self._computed:
            raise IndexError(f"painting {row}: {self._computed} are computed")
        return [kept[row] for kept in self._kept]

    def release(self) -> None:
        """Let the system take back the memory of what was read."""
        for array in self._kept:
            release_pages(array)

    def _compute(self, batch: NDArray[np.uint8], rows: slice) -> None:
        outputs = self._lower.predict_on_batch(np.ascontiguousarray(batch))
        for kept, output in zip(self._kept, outputs, strict=True):
            kept[rows] = output[: len(batch)]
        self._computed = rows.stop


def _split_backbone(backbone: keras.Model, feature_maps: FeatureMaps) -> tuple[keras.Model, keras.Model] | None:
    """The backbone below and above a joint map: images -> [joint, lower maps], and joint -> upper maps.

    A backbone may be a network inside, after layers that scale its input.
    """
    *scaling, network = backbone.operations
    if not isinstance(network, keras.Model):
        return split_graph(backbone, chosen_maps(backbone.outputs, feature_maps))
    found = split_graph(network, chosen_maps(network.outputs, feature_maps))
    if found is None:
        return None
    below, above = found
    return keras.Model(backbone.inputs, below(scaling[-1].output)), above


def split_graph(network: keras.Model, maps: Sequence[keras.KerasTensor]) -> tuple[keras.Model, keras.Model] | None:
    """Split a network at the deepest map of its own graph that allows it, as `_split_backbone` does."""
    operations = network.operations  # each after those that it depends on
    tuned = {id(layer) for layer in tuned_layers(network)}
    first_tuned = next(
        number
        for number, operation in enumerate(operations)
        if any(id(layer) in tuned for layer in _layers_of(operation))
    )
    producer = {id(operation.output): number for number, operation in enumerate(operations)}
    if any(id(each) not in producer for each in maps):  # a layer that several maps share: DINOv2's
        return None
    for number in range(first_tuned - 1, 0, -1):
        joint = operations[number].output
        lower_maps = [each for each in maps if producer[id(each)] <= number]
        if not lower_maps or len(lower_maps) == len(maps):
            continue
        try:
            above = keras.Model(joint, list(maps[len(lower_maps) :]))
        except ValueError:  # a shortcut leads past this map
            continue
        return keras.Model(network.inputs, [joint, *lower_maps]), above
    return None


def _layers_of(operation: keras.Operation) -> list[keras.Operation]:
    """An operation of a graph, or the layers with weights in it if it is a network."""
    return weighted_layers(operation) if isinstance(operation, keras.Model) else [operation]


def _shapes(halves: Halves) -> list[tuple[int, ...]]:
    return [tuple(output.shape[1:]) for output in halves.lower.outputs]


def _listed(outputs: Any) -> list[keras.KerasTensor]:
    """The outputs as a list; Keras returns a single output without one."""
    return outputs if isinstance(outputs, list) else [outputs]
