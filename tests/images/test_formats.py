"""The formats that are read, by their suffixes; HEIC with its extra; and rare kinds of PNG and JPEG 2000."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image

from artsim import heif
from artsim.errors import UnreadableImageError
from artsim.images import load, suffixes
from tests.images.makers import assert_close, exif, painting, saved

PICTURE = painting(48, 40)
GREY = PICTURE[..., :1].repeat(3, axis=2)


def content(square: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return square[4:44]


def test_the_suffixes_are_those_of_the_formats_that_are_read(tmp_path: Path) -> None:
    found = suffixes()
    usual = ".jpg .jpeg .jpe .jfif .png .gif .bmp .tif .tiff .webp .avif .jp2 .j2k .ppm .qoi .mpo .psd .sgi .heic"
    assert set(usual.split()) <= found
    assert not found & {".eps", ".pdf", ".svg", ".tga", ".mp4", ".txt", ".ico", ".hdf"}
    for suffix in ("jpe", "mpo", "jfif", "j2k", "pgm", "apng", "webp", "qoi"):
        assert f".{suffix}" in found
        load(saved(Image.fromarray(PICTURE), tmp_path / f"picture.{suffix}"), 8)


def test_heic_is_read_with_its_extra_and_pillow_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "photograph.heic"
    pillow_heif.from_pillow(Image.fromarray(PICTURE)).save(path, quality=100, chroma=444)
    assert_close(content(load(path, 48)), PICTURE, 12)
    assert ".heic" not in Image.registered_extensions()


def test_heic_without_its_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "photograph.heic"
    pillow_heif.from_pillow(Image.fromarray(PICTURE)).save(path)
    monkeypatch.setattr(heif, "find_spec", lambda _: None)
    assert ".heic" not in suffixes()
    with pytest.raises(UnreadableImageError, match=r"photograph\.heic: .*pip install 'artsim\[heic\]'.*JPEG"):
        load(path, 8)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def write_png(path: Path, bits: int, colour: int, rows: list[bytes], *chunks: bytes) -> Path:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 48, 40, bits, colour, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("has_key", [False, True])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_transparent_grey_of_a_png_is_white_with_any_number_of_bits(
    tmp_path: Path, bits: int, has_key: bool
) -> None:
    grey = PICTURE[..., 0].astype(np.uint16)
    values = grey * 257 if bits == 16 else grey >> (8 - bits)
    if bits >= 8:
        rows = [row.astype(">u2" if bits == 16 else "u1").tobytes() for row in values]
    else:
        rows = [np.packbits(np.unpackbits(row.astype("u1")[:, None], axis=1)[:, -bits:]).tobytes() for row in values]
    key = int(values[20, 24])
    chunks = [chunk(b"tRNS", struct.pack(">H", key))] if has_key else []
    path = write_png(tmp_path / "key.png", bits, 0, rows, *chunks)
    wanted = values / (2**bits - 1) * 255
    wanted[(values == key) & has_key] = 255
    assert_close(content(load(path, 48)), wanted[..., None].repeat(3, axis=2))


def test_the_transparent_colour_of_a_png_of_16_bits_is_white(tmp_path: Path) -> None:
    values = PICTURE.astype(np.uint16) * 257
    rows, key = [row.astype(">u2").tobytes() for row in values], values[20, 24]
    path = write_png(tmp_path / "key.png", 16, 2, rows, chunk(b"tRNS", struct.pack(">HHH", *key.tolist())))
    wanted = np.where((values == key).all(axis=2, keepdims=True), 255, PICTURE)
    assert_close(content(load(path, 48)), wanted)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_jpeg_2000_of_any_depth_is_read(tmp_path: Path, bits: int) -> None:
    for wanted in (PICTURE, GREY[..., 0]):
        deep = (wanted / 255 * (2**bits - 1) + 0.5).astype(np.uint8 if bits == 8 else np.uint16)
        path = tmp_path / "deep.jp2"
        path.write_bytes(imagecodecs.jpeg2k_encode(deep, codecformat="jp2", bitspersample=bits, reversible=True))
        assert_close(content(load(path, 48)), wanted if wanted.ndim == 3 else GREY)


@pytest.mark.parametrize(
    ("suffix", "options", "tolerance"),
    [("webp", {"lossless": True}, 1), ("png", {}, 1), ("avif", {"quality": 100, "subsampling": "4:4:4"}, 12),
     ("mpo", {"quality": 100, "subsampling": 0}, 12), ("tif", {}, 1)],
)  # fmt: skip
def test_of_several_frames_the_first_is_read(
    tmp_path: Path, suffix: str, options: dict[str, Any], tolerance: float
) -> None:
    path = tmp_path / f"frames.{suffix}"
    Image.fromarray(PICTURE).save(path, save_all=True, append_images=[Image.fromarray(255 - PICTURE)], **options)
    assert_close(content(load(path, 48)), PICTURE, tolerance)


def test_a_cmyk_jpeg_without_adobes_marker_is_read_like_one_with_it(tmp_path: Path) -> None:
    path = saved(Image.fromarray(PICTURE).convert("CMYK"), tmp_path / "inks.jpg", quality=100, subsampling=0)
    whole = path.read_bytes()
    marker = whole.index(b"\xff\xee")
    length = struct.unpack(">H", whole[marker + 2 : marker + 4])[0]
    bare = tmp_path / "bare.jpg"
    bare.write_bytes(whole[:marker] + whole[marker + 2 + length :])
    assert_close(load(bare, 48), load(path, 48))
    assert_close(content(load(path, 48)), PICTURE, 12)


def test_exif_turns_an_avif(tmp_path: Path) -> None:
    turned = Image.fromarray(PICTURE).transpose(Image.Transpose.ROTATE_90)
    path = saved(turned, tmp_path / "turned.avif", exif=exif(6), quality=100, subsampling="4:4:4")
    assert_close(content(load(path, 48)), PICTURE, 12)
