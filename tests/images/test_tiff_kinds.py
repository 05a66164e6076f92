"""A TIFF of any kind is read with the right colours, or refused by what it is: no picture has wrong pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artsim.errors import UnreadableImageError
from artsim.images import load
from tests.images.makers import assert_close, painting, saved, tiff_header
from tests.images.tiff_kinds import HEIGHT, WIDTH, Kind, all_kinds, colours_of

# Of 255. Lossy codecs differ by more in single pixels, so theirs is the mean difference.
TOLERANCE, LOSSY = 3, ("jpeg", "webp")

READ = [
    Kind("rgb", "u2", planar="separate"),
    Kind("rgb", "u2", planar="separate", byteorder=">", rows=7),
    Kind("rgb", "u2", planar="separate", extra="unassalpha"),
    Kind("rgb", "u2", planar="separate", compression="lzw", tile=(16, 16)),
    Kind("rgb", "u1", planar="separate", tile=(32, 16)),
    Kind("rgb", "u2", extra="assocalpha", compression="zlib", predictor=True),
    Kind("rgb", compression="jpeg", tile=(16, 32)),
    Kind("separated", "u2", planar="separate"),
    Kind("separated", "u2", planar="separate", compression="packbits"),
    Kind("separated", compression="jpeg"),
    Kind("miniswhite", "u2"),
    Kind("miniswhite", "u2", byteorder=">"),
    Kind("miniswhite", "u2", compression="lzw", predictor=True),
    Kind("miniswhite", "u2", planar="separate", extra="unspecified"),
    Kind("minisblack", "u2", bits=12),
    Kind("minisblack", planar="separate", extra="unspecified"),
    Kind("minisblack", "i2", compression="zlib", byteorder=">"),
    Kind("minisblack", "f4", compression="zlib", byteorder=">"),
    Kind("minisblack", "u1", extra="unassalpha"),
    Kind("cielab"),
    Kind("palette", compression="lzw"),
    Kind("rgb", "u2", planar="separate", bigtiff=True),
]
REFUSED = {
    Kind("cielab", "u2"): "16-bit CIELab, uncompressed",
    Kind("cielab", planar="separate", compression="lzw"): "8-bit CIELab, LZW, planar",
    Kind("minisblack", "u2", extra="unassalpha"): r"16-bit grey \+ 1 extra, uncompressed",
    Kind("minisblack", "f2"): "16-bit float grey",
    Kind("minisblack", "f8"): "64-bit float grey",
    Kind("miniswhite", "f4"): "32-bit float white-is-zero grey",
    Kind("minisblack", "i1"): "8-bit signed grey",
    Kind("minisblack", planar="separate", extra="unassalpha"): "8-bit grey .* planar",
    Kind("minisblack", planar="separate", extra="unspecified", extras=4): r"8-bit grey \+ 4 extra, .*planar",
    Kind("minisblack", "u4"): "32-bit grey",
    Kind("rgb", "f4", compression="zlib"): "32-bit float RGB, Deflate",
    Kind("separated", "u2", extra="unassalpha"): r"16-bit CMYK \+ 1 extra",
    Kind("rgb", byteorder=">", bigtiff=True): "big-endian BigTIFF",
}


def is_right(kind: Kind, path: Path) -> bool:
    """Whether the pixels are those of tifffile. Raises UnreadableImageError."""
    bar = (WIDTH - HEIGHT) // 2
    found = load(path, WIDTH)[bar : bar + HEIGHT].astype(float)
    wanted = colours_of(path)
    assert wanted is not None, "the reference reader must know what is not refused"
    difference = np.abs(found - wanted)
    return float(difference.mean() if kind.compression in LOSSY else difference.max()) <= TOLERANCE


@pytest.mark.parametrize("kind", READ, ids=str)
def test_kinds_that_archives_have_are_read(tmp_path: Path, kind: Kind) -> None:
    assert is_right(kind, kind.write(tmp_path / "scan.tif"))


@pytest.mark.parametrize("kind", REFUSED, ids=str)
def test_other_kinds_are_refused_by_what_they_are(tmp_path: Path, kind: Kind) -> None:
    with pytest.raises(UnreadableImageError, match=rf"scan\.tif: .*{REFUSED[kind]}.*Convert it to") as error:
        load(kind.write(tmp_path / "scan.tif"), WIDTH)
    assert "damaged" not in str(error.value)


@pytest.mark.slow
def test_every_kind_that_tifffile_writes_is_read_rightly_or_refused(tmp_path: Path) -> None:
    wrong, right = [], 0
    for kind in all_kinds():
        path = kind.write(tmp_path / "scan.tif")
        try:
            if is_right(kind, path):
                right += 1
            else:
                wrong.append(str(kind))
        except UnreadableImageError as error:
            if "artsim can't read" not in str(error):
                wrong.append(f"{kind}: {error}")
    assert wrong == []
    assert right > 400


@pytest.mark.parametrize(
    ("tags", "named"),
    [
        ({258: 16, 259: 34887, 262: 2, 277: 3}, "16-bit RGB, LERC"),
        ({258: 8, 259: 34712, 262: 2, 277: 3}, "8-bit RGB, JPEG 2000"),
        ({258: 8, 259: 33003, 262: 6, 277: 3}, "8-bit YCbCr, JPEG 2000"),
        ({258: 14, 259: 1, 262: 32803}, r"14-bit colour filter array \(raw camera\)"),
        ({258: 32, 259: 34676, 262: 32845}, "32-bit LogLuv, compression 34676"),
        ({258: 8, 259: 99, 262: 77}, r"8-bit \(photometric 77\), compression 99"),
    ],
)
def test_compressions_and_colours_that_pillow_does_not_know_are_named(
    tmp_path: Path, tags: dict[int, int], named: str
) -> None:
    path = tmp_path / "odd.tif"
    path.write_bytes(tiff_header({256: 4, 257: 4, 273: 8, **tags}))
    with pytest.raises(UnreadableImageError, match=rf"odd\.tif: .*{named}.*Convert"):
        load(path, 8)


def test_an_opened_tiff_that_pillow_scrambles_is_refused_and_a_negative_is_turned_round(tmp_path: Path) -> None:
    with (
        Image.open(Kind("rgb", "u2", planar="separate").write(tmp_path / "planes.tif")) as picture,
        pytest.raises(UnreadableImageError, match=r"Pillow scrambles.*Give its path"),
    ):
        load(picture, 8)
    path = Kind("miniswhite", "u2").write(tmp_path / "negative.tif")
    with Image.open(path) as picture:
        assert_close(load(picture, WIDTH), load(path, WIDTH))


def test_pillows_own_tiffs_are_read_as_their_pictures(tmp_path: Path) -> None:
    picture = Image.fromarray(painting(WIDTH, HEIGHT))
    for compression in (None, "tiff_lzw", "group4", "tiff_ccitt"):
        mode = "1" if compression in ("group4", "tiff_ccitt") else "YCbCr"
        path = saved(picture.convert(mode), tmp_path / "own.tif", compression=compression)
        assert_close(load(path, WIDTH), load(picture.convert(mode), WIDTH), TOLERANCE)
