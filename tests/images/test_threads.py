"""`load` may run in any number of threads, and is silent without silencing other code."""

from __future__ import annotations

import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, JpegImagePlugin

from artsim.images import load
from tests.icc import cmyk_profile, grey_profile, rgb_profile
from tests.images.makers import CUT_EXIF, exif, painting, quarters, saved, tiff_header


def assorted(folder: Path) -> list[Path]:
    """Files that take every way through `load` on which threads share something."""
    pixels = Image.fromarray(painting(300, 200))
    linear = rgb_profile(1.0)
    return [
        saved(pixels, folder / "plain.jpg"),
        saved(pixels, folder / "linear.jpg", icc_profile=linear),
        saved(pixels, folder / "linear.png", icc_profile=linear),
        saved(pixels.convert("L"), folder / "grey.png", icc_profile=grey_profile(1.0)),
        saved(pixels.convert("CMYK"), folder / "inks.tif", icc_profile=cmyk_profile()),
        saved(pixels.convert("P"), folder / "palette.png", transparency=bytes(range(256))),
        saved(pixels, folder / "turned.webp", exif=exif(6)),
        saved(pixels, folder / "turned.tif", exif=exif(8), compression="tiff_lzw"),
    ]


def test_eight_threads_give_the_same_pixels_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = assorted(tmp_path)
    expected = [load(path, 64).tobytes() for path in paths]
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda path: load(path, 64).tobytes(), paths * 12))
    assert found == expected * 12
    assert Image.MAX_IMAGE_PIXELS == 1000


READ_IN_THREADS = """
import sys, pathlib, concurrent.futures
from PIL import Image
from artsim import images, errors
Image.MAX_IMAGE_PIXELS = 4000
def word(path):
    try:
        return str(images.load(path, 8).shape)
    except errors.ImageError as error:
        return error.status
with concurrent.futures.ThreadPoolExecutor(4) as threads:
    print(sorted(threads.map(word, pathlib.Path(sys.argv[1]).iterdir())))
"""


def test_no_warning_or_log_of_pillow_reaches_the_terminal(tmp_path: Path) -> None:
    """Odd files are read in threads of a fresh process that shows every warning.

    libtiff is not tested: it prints its own errors about damaged compressed TIFFs, as Pillow sets no handler for them.
    Pillow's issues were searched for "TIFFSetErrorHandler": none asks for one.
    """
    saved(Image.fromarray(quarters()), tmp_path / "exif.jpg", exif=CUT_EXIF)
    saved(Image.fromarray(quarters()).convert("P"), tmp_path / "palette.png", transparency=bytes(range(256)))
    # A pixel of 100 samples, which Pillow logs as an error (https://github.com/python-pillow/Pillow/pull/6700).
    odd = tiff_header({256: 1, 257: 1, 262: 1, 277: 100})
    (tmp_path / "odd.tif").write_bytes(odd)
    (tmp_path / "cut.tif").write_bytes(odd[:30])
    command = [sys.executable, "-W", "always", "-c", READ_IN_THREADS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['(8, 8, 3)', '(8, 8, 3)', 'unreadable', 'unreadable']"
    assert done.stderr == ""


def test_pillow_still_warns_in_other_threads_and_after_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(Image.fromarray(quarters()), tmp_path / "scan.jpg")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4000)
    load_jpeg = JpegImagePlugin.JpegImageFile.load

    def open_elsewhere(picture: JpegImagePlugin.JpegImageFile) -> Any:
        elsewhere = threading.Thread(target=lambda: Image.open(path).close())
        elsewhere.start()
        elsewhere.join()
        return load_jpeg(picture)

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        with monkeypatch.context() as patch:
            patch.setattr(JpegImagePlugin.JpegImageFile, "load", open_elsewhere)
            load(path, 8)
        assert {warning.category for warning in heard} == {Image.DecompressionBombWarning}
        heard.clear()
        Image.open(path).close()
        assert len(heard) == 1
