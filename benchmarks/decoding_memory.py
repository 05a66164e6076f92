"""The memory that decoding takes, beside its estimate: each format in a process of its own, 36 million pixels.

    python -m benchmarks.decoding_memory

Expected: no format takes more than its estimate (`artsim/decoding_cost.py`). In bytes a pixel, estimate and measured,
on 2026-11-26: JPEG 0.2 and 0.1 (progressive 6.2 and 3.1), PNG 9.1 and 4.1 (RGBA 14.1 and 12.0), TIFF 17.1 and
12.0, WebP 24.1 and 16.0, JPEG 2000 28.1 and 19.3 (RGBA 33.1 and 24.4), BMP and PPM 12.1 and 4.1, SGI 16.1 and 6.0.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from artsim import images
from artsim.decoding_cost import decoding_bytes
from benchmarks.data import verdict

SIDE = 6000
FILES: dict[str, tuple[str, dict[str, Any]]] = {
    "rgb.jpg": ("RGB", {}), "progressive.jpg": ("RGB", {"progressive": True}), "cmyk.jpg": ("CMYK", {}),
    "rgb.png": ("RGB", {}), "rgba.png": ("RGBA", {}), "palette.png": ("P", {"transparency": 3}),
    "palette.gif": ("P", {"transparency": 3}), "rgb.bmp": ("RGB", {}), "rgb.ppm": ("RGB", {}), "raw.tif": ("RGBA", {}),
    "lzw.tif": ("RGBA", {"compression": "tiff_lzw"}), "rgb.webp": ("RGB", {"method": 0}),
    "rgba.webp": ("RGBA", {"method": 0}), "rgb.avif": ("RGB", {"speed": 10}), "rgb.jp2": ("RGB", {}),
    "rgba.jp2": ("RGBA", {}), "rgb.sgi": ("RGB", {}),
}  # fmt: skip


def measure(path: str) -> int:
    """Print the estimate and the peak of memory above that before decoding, in bytes."""
    with images.opened(path) as picture:
        whole = picture.size
        side = images.fit(whole, 256)
        picture.draft(None, (2 * side[0], 2 * side[1]))
        estimate = decoding_bytes(picture, whole)
    images.load(Image.new("RGB", (8, 8)), 8)
    before = peak()
    images.load(path, 256)
    print(estimate, peak() - before)
    return 0


def peak() -> int:
    """The most bytes that this process has had in memory; `ru_maxrss` would be the parent's."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found
    return 1024 * int(found[1])


def main() -> int:
    """Print a row for each format."""
    is_enough = True
    base = Image.linear_gradient("L").resize((SIDE, SIDE))
    print("| file | estimate, bytes a pixel | measured |\n|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="artsim-") as folder:
        for name, (mode, options) in FILES.items():
            path = Path(folder) / name
            base.convert("RGB" if mode in ("P", "RGBA", "CMYK") else mode).convert(mode).save(path, **options)
            command = [sys.executable, "-m", "benchmarks.decoding_memory", str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            estimate, taken = (int(number) / SIDE**2 for number in done.stdout.split())
            is_enough &= taken <= estimate
            print(f"| {name} | {estimate:.1f} | {taken:.1f} |", flush=True)
            path.unlink()
    return verdict(is_enough, "no format takes more than its estimate")


if __name__ == "__main__":
    sys.exit(measure(sys.argv[1]) if len(sys.argv) > 1 else main())
