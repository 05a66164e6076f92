"""Files that are missing, damaged or no images end in an error that names the file and the reason."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from artsim.errors import ImageError, MissingImageError, UnreadableImageError
from artsim.images import load
from tests.images.makers import painting, saved


def test_a_missing_file_is_named_with_the_reason(tmp_path: Path) -> None:
    file = saved(Image.new("L", (4, 4)), tmp_path / "file.png")
    broken, loop = tmp_path / "broken.png", tmp_path / "loop.png"
    broken.symlink_to(tmp_path / "nowhere.png")
    loop.symlink_to(loop)
    reasons: dict[str | Path, str] = {
        tmp_path / "none.png": "no such file",
        file / "below.png": "no such file",
        tmp_path / ("long" * 100): "no such file",
        str(tmp_path) + "/nul\0byte.png": "no such file",
        tmp_path: "a folder",
        broken: "a link to a file that is not there",
        loop: "a link to a file that is not there",
    }
    for path, reason in reasons.items():
        with pytest.raises(MissingImageError, match=reason) as error:
            load(path, 8)
        assert os.fspath(path)[-20:].replace("\0", "\\x00") in str(error.value)


def test_an_empty_name_is_a_missing_file() -> None:
    with pytest.raises(MissingImageError, match="empty"):
        load("", 8)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
@pytest.mark.timeout(10)
def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    with pytest.raises(UnreadableImageError, match=r"pipe\.png: not a regular file"):
        load(pipe, 8)


def test_a_file_without_permission_to_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(Image.new("L", (4, 4)), tmp_path / "locked.png")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # not chmod: root, which may run the tests, reads any file
    with pytest.raises(UnreadableImageError, match=r"locked\.png: can't be opened: Permission denied"):
        load(path, 8)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\0", "not an image"),
        (b"index,image1,image2\n0,a.jpg,b.jpg\n", "not an image"),
        (b"\xff\xd8\xff", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "not an image in a format"),
    ],
    ids=["no bytes", "a zero", "csv", "start of a JPEG", "EPS"],
)
def test_a_file_that_is_no_image_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "wrong.jpg"
    path.write_bytes(content)
    with pytest.raises(UnreadableImageError, match=reason) as error:
        load(path, 8)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "bmp", "webp", "tif", "jp2", "avif"])
def test_a_file_that_lacks_its_last_tenth_is_refused(tmp_path: Path, suffix: str) -> None:
    path = saved(Image.fromarray(painting(200, 150)), tmp_path / f"cut.{suffix}")
    load(path, 8)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.9)])
    with pytest.raises(UnreadableImageError, match=r"cut\."):
        load(path, 8)


@pytest.mark.parametrize(("failure", "said"), [(struct.error, "error"), (MemoryError, "too little memory")])
def test_whatever_a_decoder_raises_becomes_an_image_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: type[Exception], said: str
) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    with pytest.raises(UnreadableImageError, match=rf"a\.png.*{said}") as error:
        load(saved(Image.new("L", (4, 4)), tmp_path / "a.png"), 8)
    assert isinstance(error.value.__cause__, failure)


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(painting(24, 16)).save(buffer, kind)
    return buffer.getvalue()


SAMPLES = [encoded(kind) for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF")]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A small image file with one to eight bytes changed."""
    content = bytearray(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 8))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content)


def assert_pixels_or_image_error(source: Path | Image.Image) -> None:
    try:
        square = load(source, 8, max_pixels=100_000)
    except ImageError:
        return
    assert square.shape == (8, 8, 3)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged") / "damaged.img"


@given(content=damaged())
@settings(max_examples=150)
def test_a_damaged_file_gives_pixels_or_an_image_error(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert_pixels_or_image_error(path)


@given(content=damaged())
@settings(max_examples=100)
def test_an_open_image_of_a_damaged_file_gives_pixels_or_an_image_error(content: bytes) -> None:
    try:
        picture = Image.open(io.BytesIO(content))
    except Exception:  # Pillow refuses the header, with an exception of any type: there is no open image to load
        reject()
    assert_pixels_or_image_error(picture)
