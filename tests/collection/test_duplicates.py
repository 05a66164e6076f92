from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from artsim import images
from artsim.collection.duplicates import (
    FINGERPRINT_SIZE,
    MAX_DIFFERENT_BITS,
    cluster_works,
    find_near_duplicates,
    fingerprint,
)
from artsim.demo import paint


def fingerprint_of(picture: Image.Image) -> int:
    return fingerprint(images.load(picture, FINGERPRINT_SIZE))


def clusters(fingerprints: list[int], groups: list[str] | None = None) -> list[int]:
    named = None if groups is None else np.array(groups, dtype=object)
    near = find_near_duplicates(np.array(fingerprints, dtype=np.uint64))
    return [int(cluster) for cluster in cluster_works(near, len(fingerprints), named)]


def test_a_rescaled_copy_is_a_near_duplicate_and_another_picture_is_not() -> None:
    picture = paint(artist=1, work=2)
    smaller = ImageEnhance.Brightness(picture.resize((picture.width // 2, picture.height // 2))).enhance(1.1)
    other = paint(artist=5, work=3)
    assert clusters([fingerprint_of(picture), fingerprint_of(smaller), fingerprint_of(other)]) == [0, 0, 1]


def test_letterbox_bars_do_not_make_pictures_near_duplicates() -> None:
    rng = np.random.default_rng(0)
    first, second = (
        Image.fromarray(rng.integers(0, 255, (6, 60, 3), dtype=np.uint8)).resize((600, 60)) for _ in range(2)
    )
    assert clusters([fingerprint_of(first), fingerprint_of(second)]) == [0, 1]


def test_black_pictures_have_a_fingerprint_and_are_near_duplicates() -> None:
    black = [fingerprint_of(Image.new("RGB", size)) for size in ((50, 40), (40, 50))]
    assert clusters(black) == [0, 0]


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=30), st.integers(0, 63))
def test_clusters_are_the_connected_near_duplicates(fingerprints: list[int], bit: int) -> None:
    fingerprints = [*fingerprints, fingerprints[0] ^ (1 << bit)]
    expected = list(range(len(fingerprints)))  # the lowest index of each work's cluster
    for (i, first), (j, second) in combinations(enumerate(fingerprints), 2):
        if (first ^ second).bit_count() <= MAX_DIFFERENT_BITS:
            low, high = sorted((expected[i], expected[j]))
            expected = [low if cluster == high else cluster for cluster in expected]
    found = clusters(fingerprints)
    assert [found.index(cluster) for cluster in found] == expected


def test_works_of_one_group_share_a_cluster_and_an_empty_group_is_none() -> None:
    far = [0x0, 0xFFFF, 0xFFFF0000, 0xFFFFFFFF00000000]
    assert clusters(far, ["museum", "", "museum", ""]) == [0, 1, 0, 2]


def test_duplicates_in_different_blocks_are_found() -> None:
    rng = np.random.default_rng(0)
    prints = rng.integers(0, 2**63, 3000, dtype=np.uint64)
    prints[2999] = prints[5] ^ np.uint64(0b111)
    found = pd.Series(cluster_works(find_near_duplicates(prints), len(prints)))
    assert found[2999] == found[5]
    assert found.nunique() == 2999
