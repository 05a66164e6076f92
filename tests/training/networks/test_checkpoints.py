"""Checkpoints: they come back as written; damage in any place and files of strangers are refused before Keras reads."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from artsim.errors import ModelError
from artsim.training.networks.checkpoints import CONFIG, WEIGHTS, load_tower, save_tower
from tests.training.networks.hostile_hdf5 import CHANGES, Change, first_array

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def tower() -> keras.Model:
    keras.utils.set_random_seed(0)
    images = keras.Input((4, 4, 3))
    return keras.Model(images, keras.layers.Dense(5)(keras.layers.Flatten()(images)))


@pytest.fixture(scope="module")
def saved(tower: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "best.keras"
    save_tower(tower, path)
    return path


def parts_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_archive(path: Path, parts: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    """An archive without a seal, as artsim 0.1 wrote them."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def test_a_checkpoint_comes_back_as_written(tower: keras.Model, saved: Path) -> None:
    np.testing.assert_array_equal(load_tower(saved)(PIXELS), tower(PIXELS))
    assert [path.name for path in saved.parent.iterdir()] == ["best.keras"]


def test_copies_of_a_checkpoint_have_its_bytes(tower: keras.Model, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("best.keras", "last.keras")]
    paths[1].write_bytes(b"of an earlier epoch")
    save_tower(tower, *paths)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    np.testing.assert_array_equal(load_tower(paths[1])(PIXELS), tower(PIXELS))
    assert sorted(tmp_path.iterdir()) == paths


def test_a_checkpoint_of_artsim_0_1_is_read(tower: keras.Model, tmp_path: Path) -> None:
    tower.save(tmp_path / "best.keras")
    np.testing.assert_array_equal(load_tower(tmp_path / "best.keras")(PIXELS), tower(PIXELS))


def test_one_changed_byte_is_noticed_in_any_place(saved: Path, tmp_path: Path) -> None:
    content, path = saved.read_bytes(), tmp_path / "best.keras"
    for place in [*range(0, len(content) - 200, 151), *range(len(content) - 200, len(content))]:
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(ModelError, match=f"^{path}: not a checkpoint of artsim, or damaged"):
            load_tower(path)


def test_a_changed_weight_is_noticed_in_a_checkpoint_of_artsim_0_1(saved: Path, tmp_path: Path) -> None:
    path = write_archive(tmp_path / "best.keras", parts_of(saved))
    content = bytearray(path.read_bytes())
    content[content.find(parts_of(saved)[WEIGHTS][-40:])] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"checksum of its part model\.weights\.h5|Bad CRC"):
        load_tower(path)


@pytest.mark.parametrize("length", [0, 10, 1000, -1])
def test_a_checkpoint_that_is_cut_off_is_refused(saved: Path, tmp_path: Path, length: int) -> None:
    (tmp_path / "best.keras").write_bytes(saved.read_bytes()[:length])
    with pytest.raises(ModelError, match="not a checkpoint of artsim, or damaged"):
        load_tower(tmp_path / "best.keras")


@pytest.mark.parametrize(("change", "reason"), CHANGES.values(), ids=CHANGES)
def test_weights_that_refer_to_another_file_are_refused(
    saved: Path, tmp_path: Path, change: Change, reason: str
) -> None:
    parts = parts_of(saved)
    weights = io.BytesIO(parts[WEIGHTS])
    with h5py.File(weights, "r+") as file:
        change(file, first_array(file))
    path = write_archive(tmp_path / "best.keras", parts | {WEIGHTS: weights.getvalue()})
    with pytest.raises(ModelError, match=reason):
        load_tower(path)


def test_only_archives_as_keras_writes_them_are_checkpoints(saved: Path, tmp_path: Path) -> None:
    parts, path = parts_of(saved), tmp_path / "best.keras"
    write_archive(path, parts, zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelError, match="compressed"):
        load_tower(path)
    write_archive(path, {name: data for name, data in parts.items() if name != WEIGHTS} | {"model.weights.npz": b""})
    with pytest.raises(ModelError, match=r"it has the parts .*model\.weights\.npz"):
        load_tower(path)
    path.write_bytes(parts[WEIGHTS])  # HDF5 by another name
    with pytest.raises(ModelError, match="not a checkpoint of artsim"):
        load_tower(path)
    write_archive(path, parts | {CONFIG: b'{"a":' * 100_000})
    with pytest.raises(ModelError, match="not a checkpoint of artsim"):
        load_tower(path)


def test_what_is_no_regular_file_is_refused_and_not_waited_for(saved: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.keras")
    shutil.copytree(saved.parent, tmp_path / "folder.keras")
    for name, reason in (("pipe", "not a regular file"), ("folder", "Is a directory"), ("none", "no such checkpoint")):
        with pytest.raises(ModelError, match=reason):
            load_tower(tmp_path / f"{name}.keras")


def test_a_link_to_a_checkpoint_works(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "best.keras").symlink_to(saved)
    assert load_tower(tmp_path / "best.keras").output_shape == (None, 5)
