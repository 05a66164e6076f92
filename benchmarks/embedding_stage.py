"""`artsim embed` on a folder of different JPEGs, compared with its two stages alone, on all cores.

    ARTSIM_DATA=... python -m benchmarks.embedding_stage --images 10000 [--model tower.onnx]

The JPEGs (by default 1,000) are made from the 64 photographs of gallery/, 843 px wide. Each is shifted differently and
encoded like its photograph. The images are split into parts. On each part the benchmark measures three things: decoding
alone, in one thread for each core; the tower alone, in onnxruntime's threads, on decoded batches; and the whole of
`artsim embed`, with listing, digests and writing. The tower is the default recipe's with random weights, unless a model
is given.

`--growth` embeds 100, 300, … up to that many images instead, and fits a line: a constant, and the cost of an image.

Expected: the whole reaches 0.9 of 1 / (1 / tower + 1 / decoding), the speed of both stages one after the other with no
idle core. The ratio exceeds 1 where one stage alone leaves cores idle.
Growth: a line, with no run farther from it than a tenth of the longest. Up to 3,000 images: 0.2 s + 6.2 ms an image.

Measured on 2026-11-25 with `compact` on 2 EPYC cores with no other load, 10,000 images: decoding alone 441
images/s, tower alone 266, one after the other 166, the whole 154, 0.93 of that (0.85 to 1.00 part by part). CPU-ms an
image: 4.4 to decode it, 6.9 in the tower, 11.7 for the whole.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ImageChops
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from artsim.jobs.embed import EmbedOptions, embed_collections
from artsim.machine import core_count
from artsim.prefetch import prefetch_images
from artsim.scoring.inference import prefetch_depth
from artsim.scoring.scorer import Scorer, load
from benchmarks.data import data, verdict

EXPECTED = 0.9
PARTS = 5
DECODED = 256  # images that are kept decoded for the tower alone


def main() -> int:
    """Make the images, measure part by part, print, and compare with the expectation."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--growth", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.growth:
            return growth(arguments.model or default_tower(Path(folder) / "tower.onnx"), Path(folder), arguments.images)
        parts = [Path(folder, f"part{part}") for part in range(PARTS)]
        made = time.perf_counter()
        for part, place in enumerate(parts):
            write_jpegs(place, range(part, arguments.images, PARTS))
        print(f"made {arguments.images:,} JPEGs in {time.perf_counter() - made:.0f} s")
        model = arguments.model or default_tower(Path(folder) / "tower.onnx")
        return compare(model, parts)


def growth(model: Path, folder: Path, most: int) -> int:
    """Seconds of `artsim embed` against the number of images."""
    counts = [count for count in (100, 300, 1000, 3000, 10_000) if count < most] + [most]
    seconds = []
    for count in counts:
        write_jpegs(folder / str(count), range(count))
        seconds.append(timed(partial(embed_folder, model, folder / str(count)))[0])
        print(f"{count:>7,} images {seconds[-1]:7.2f} s")
    each, least = np.polyfit(counts, seconds, 1)
    print(f"{least:.2f} s + {1000 * each:.2f} ms an image")
    off = np.abs(np.polyval((each, least), counts) - seconds).max()
    return verdict(bool(off <= seconds[-1] / 10), "a line, no run farther from it than a tenth of the longest")


def write_jpegs(folder: Path, numbers: Sequence[int]) -> None:
    """Write a different photograph for each number."""
    folder.mkdir()
    photographs = sorted(data("gallery").glob("*.jpg"))

    def write(number: int) -> None:
        with JpegImageFile(photographs[number % len(photographs)]) as picture:
            turn, width, height = number // len(photographs), *picture.size
            shifted = ImageChops.offset(picture, 37 * turn % width, 53 * turn % height)
            shifted.save(folder / f"{number:05}.jpg", qtables=picture.quantization, subsampling=get_sampling(picture))

    with ThreadPoolExecutor(core_count()) as threads:
        list(threads.map(write, numbers))


def default_tower(path: Path) -> Path:
    """The default recipe's tower, freshly initialised."""
    from artsim.training.recipes import RECIPES
    from benchmarks.tower_speed import exported

    return exported(RECIPES["compact"], path).path


def compare(model: Path, parts: Sequence[Path]) -> int:
    """Alternate between the three, part by part; the results are of all parts together."""
    scorer = load(model, "cpu")
    files = [sorted(part.glob("*.jpg")) for part in parts]
    images = islice(prefetch_images(files[0], scorer.load_image, DECODED), DECODED)
    decoded = np.stack([image for image in images if isinstance(image, np.ndarray)])  # (N, S, S, 3)
    scorer.tower(decoded[: scorer.batch_size])
    measured = np.array(
        [
            [
                timed(partial(decode_all, scorer, paths)),
                timed(partial(embed_all, scorer, decoded, len(paths))),
                timed(partial(embed_folder, model, part)),
            ]
            for part, paths in zip(parts, files, strict=True)
        ]
    )  # (parts, 3, 2)
    seconds, cpu_seconds = measured[:, :, 0], measured[:, :, 1]
    count = sum(map(len, files))
    decoding, tower, whole = count / seconds.sum(axis=0)
    bound = 1 / (1 / tower + 1 / decoding)
    print(f"{scorer.provider}, batch {scorer.batch_size}, {core_count()} decode threads, {scorer.card.image_size} px")
    for name, speed in (("decoding alone", decoding), ("tower alone", tower), ("one after the other", bound)):
        print(f"{name:<20} {speed:7.1f} images/s")
    ratios = ", ".join(f"{ratio:.2f}" for ratio in (seconds[:, 0] + seconds[:, 1]) / seconds[:, 2])
    print(f"{'artsim embed':<20} {whole:7.1f} images/s, {whole / bound:.3f} of that (part by part {ratios})")
    print(f"shares of the work: decoding {bound / decoding:.0%}, tower {bound / tower:.0%}")
    spent = 1000 * cpu_seconds.sum(axis=0) / count
    print(f"CPU-ms an image: decoding {spent[0]:.1f}, tower {spent[1]:.1f}, artsim embed {spent[2]:.1f}")
    return verdict(whole / bound >= EXPECTED, f"at least {EXPECTED}")


def decode_all(scorer: Scorer, paths: Sequence[Path]) -> None:
    """Decoding alone."""
    for _ in prefetch_images(paths, scorer.load_image, prefetch_depth(scorer.batch_size)):
        pass


def embed_all(scorer: Scorer, decoded: NDArray[np.uint8], count: int) -> None:
    """The tower alone, on as many images."""
    for start in range(0, count, scorer.batch_size):
        scorer.tower(decoded.take(range(start, start + scorer.batch_size), axis=0, mode="wrap"))


def embed_folder(model: Path, folder: Path) -> None:
    """All of `artsim embed` but starting Python."""
    summary = embed_collections(EmbedOptions(str(model), [str(folder)], f"{folder}.parquet", device="cpu"))
    assert summary.bad_images == []


def timed(run: Callable[[], None]) -> tuple[float, float]:
    """Wall and CPU seconds of a run."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    sys.exit(main())
