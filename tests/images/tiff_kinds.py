"""TIFFs of many kinds, written and read back by tifffile, and the colours that they mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray

from tests.images.makers import painting

WIDTH, HEIGHT = 48, 40
INKS = {"minisblack": 1, "miniswhite": 1, "rgb": 3, "separated": 4, "cielab": 3, "palette": 1}
ALPHA = {"unassalpha", "assocalpha"}


@dataclass(frozen=True)
class Kind:
    """How the pixels of a file are stored, by tifffile's names."""

    photometric: str
    dtype: str = "u1"
    bits: int | None = None
    planar: str | None = None
    extra: str | None = None
    extras: int = 1  # samples of the kind `extra`, if there is one
    compression: str | None = None
    predictor: bool = False
    tile: tuple[int, int] | None = None
    rows: int | None = None
    byteorder: Literal["<", ">"] = "<"
    bigtiff: bool = False

    def __str__(self) -> str:
        flags = {
            "predictor": self.predictor, "big": self.bigtiff, "tiled": self.tile, "strips": self.rows,
            "MM": self.byteorder == ">", f"{self.bits} bits": self.bits,
        }  # fmt: skip
        parts = [self.photometric, self.dtype, self.planar, self.extra, self.compression]
        return "-".join([part for part in parts if part] + [name for name, is_so in flags.items() if is_so])

    @property
    def samples(self) -> int:
        return INKS[self.photometric] + (self.extras if self.extra else 0)

    def pixels(self) -> NDArray[Any]:
        """(H, W, samples) as the file stores them, of a painting."""
        colours = np.concatenate([painting(WIDTH, HEIGHT, seed) for seed in (0, 1)], axis=2)[..., : self.samples]
        if self.photometric == "cielab":  # colours that sRGB has
            colours[..., 1:] = (colours[..., 1:].astype(int) - 128) // 4 % 256
        if self.extra == "assocalpha":
            colours[..., :-1] = np.minimum(colours[..., :-1], colours[..., -1:])
        kind = np.dtype(self.dtype)
        if kind.kind == "f":
            return np.asarray(colours / 255, kind)
        if kind.kind == "i":
            return colours.view(kind) if kind.itemsize == 1 else colours.astype(kind)
        if self.bits:
            deep: NDArray[Any] = (colours.astype(float) / 255 * (2**self.bits - 1) + 0.5).astype(kind)
            return deep
        scale = {1: 1, 2: 257, 4: 16_843_009, 8: 72_340_172_838_076_673}[kind.itemsize]
        return (colours.astype(np.uint64) * scale).astype(kind)

    def write(self, path: Path) -> Path:
        stored = self.pixels()
        if self.planar == "separate":
            stored = stored.transpose(2, 0, 1)
        elif self.samples == 1:
            stored = stored[..., 0]
        options: dict[str, Any] = {"extrasamples": [self.extra] * self.extras} if self.extra else {}
        if self.photometric == "palette":
            options["colormap"] = (np.random.default_rng(3).integers(0, 256, (3, 256)) * 257).astype(np.uint16)
        tifffile.imwrite(
            path, np.ascontiguousarray(stored), photometric=self.photometric, planarconfig=self.planar,
            bitspersample=self.bits, compression=self.compression, predictor=self.predictor or None, tile=self.tile,
            rowsperstrip=self.rows,
            byteorder=self.byteorder, bigtiff=self.bigtiff, metadata=None, **options,
        )  # fmt: skip
        return path


def colours_of(path: Path) -> NDArray[np.float64] | None:
    """(H, W, 3) in 0..255, as tifffile reads the pixels; None for kinds whose colours this does not know."""
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        stored = page.asarray()
        tags = page.tags
        photometric = int(tags["PhotometricInterpretation"].value)
        bits = int(np.max(tags["BitsPerSample"].value))
        extra = tuple(tags["ExtraSamples"].value) if "ExtraSamples" in tags else ()
        is_planar = "PlanarConfiguration" in tags and tags["PlanarConfiguration"].value == 2
        palette = tags["ColorMap"].value if "ColorMap" in tags else None
    if is_planar and stored.ndim == 3:
        stored = stored.transpose(1, 2, 0)
    if palette is not None:
        return np.asarray(palette, float).reshape(3, -1)[:, stored].transpose(1, 2, 0) / 257
    stored = stored[..., None] if stored.ndim == 2 else stored
    white = {"f": 1, "i": 255}.get(stored.dtype.kind) or 2**bits - 1
    share = stored.astype(float) / white
    return _mixed(share, photometric, extra[0] if extra else 0)


def _mixed(share: NDArray[np.float64], photometric: int, extra: int) -> NDArray[np.float64] | None:
    inks = {0: 1, 1: 1, 2: 3, 5: 4, 6: 3, 8: 3}.get(photometric)
    if inks is None:
        return None
    inked = share[..., :inks]
    if photometric == 8:
        return _from_lab(share)
    rgb = inked
    if photometric == 0:
        rgb = 1 - inked
    if photometric == 5:
        rgb = (1 - inked[..., :3]) * (1 - inked[..., 3:])
    if extra == 2:
        alpha = share[..., inks : inks + 1]
        rgb = rgb * alpha + (1 - alpha)
    if extra == 1:
        alpha = share[..., inks : inks + 1]
        rgb = rgb + (1 - alpha)
    return np.broadcast_to(np.clip(rgb, 0, 1) * 255, (*rgb.shape[:2], 3))


def all_kinds() -> list[Kind]:
    """Several hundred kinds."""
    kinds = [
        Kind(photometric, dtype, None, planar, extra)
        for photometric, dtype, extra, planar in product(
            INKS, ("u1", "u2", "u4", "i1", "i2", "f2", "f4", "f8"), (None, "unassalpha", "assocalpha", "unspecified"),
            (None, "separate"),
        )
        if _is_written(photometric, dtype, extra, planar)
    ]  # fmt: skip
    kinds += [
        Kind(photometric, "u1" if bits < 8 else "u2", bits, planar)
        for photometric, bits, planar in product(INKS, (2, 4, 6, 10, 12, 14), (None, "separate"))
        if _is_written(photometric, "u1", None, planar, bits)
    ]
    stored: list[dict[str, Any]] = [
        {}, {"byteorder": ">"}, {"compression": "lzw"}, {"compression": "zlib", "predictor": True},
        {"compression": "zlib", "byteorder": ">", "rows": 7}, {"compression": "packbits"}, {"tile": (16, 16)},
        {"tile": (32, 16), "compression": "lzw", "predictor": True, "byteorder": ">"}, {"rows": 7, "bigtiff": True},
        {"compression": "zstd"}, {"compression": "jpeg"}, {"compression": "jpeg", "tile": (16, 32)},
        {"compression": "webp"}, {"compression": "lzma"},
    ]  # fmt: skip
    return [replace(kind, **each) for kind in kinds for each in stored if _is_compressed(kind, each.get("compression"))]


def _is_written(photometric: str, dtype: str, extra: str | None, planar: str | None, bits: int = 8) -> bool:
    if bits > 8 and photometric == "palette":
        return False
    if photometric == "palette":
        return dtype == "u1" and not extra and not planar
    if photometric == "cielab" and extra:
        return False
    return not (planar and INKS[photometric] + (extra is not None) == 1)


def _is_compressed(kind: Kind, compression: str | None) -> bool:
    """Whether tifffile and its codecs write such a file."""
    if kind.bits:
        return compression is None
    if compression == "jpeg":
        return kind.dtype == "u1" and kind.photometric in ("minisblack", "rgb", "separated") and not kind.extra
    if compression == "webp":
        return kind.dtype == "u1" and kind.photometric == "rgb" and not kind.planar and not kind.extra
    return True


def _from_lab(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELab of 8 bits, with D50 as white, to sRGB (https://www.w3.org/TR/css-color-4/#color-conversion-code)."""
    levels = np.round(share * 255)
    lightness = levels[..., 0] / 255 * 100
    a, b = ((levels[..., number] + 128) % 256 - 128 for number in (1, 2))  # whole numbers with a sign
    middle = (lightness + 16) / 116
    cubes = np.stack([middle + a / 500, middle, middle - b / 200], axis=-1)
    xyz = np.where(cubes > 6 / 29, cubes**3, (116 * cubes - 16) / (24389 / 27)) * [0.9642956, 1, 0.8251046]
    red, green = (3.1341359, -1.6172206, -0.4906862), (-0.9787955, 1.9162543, 0.0334427)
    linear = np.clip(xyz @ np.array([red, green, (0.0719554, -0.2289769, 1.4053861)]).T, 0, 1)
    curved: NDArray[np.float64] = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return curved * 255
