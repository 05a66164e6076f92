"""Make the tower that comes with artsim, artsim/towers/base.onnx.

    ARTSIM_DATA=... python tools/make_base_tower.py

It trains the recipe `readout` on the real paintings of ARTSIM_DATA (paintings/train_info.csv, see benchmarks/data.py).
The tower does not enlarge its input, and has half of the feature maps and short embeddings, so that it is small and
fast. Its weights are stored in 16 bits. The weights of EfficientNet-Lite0 come with the extra `weights`. A run takes 3
to 15 minutes on two cores. docs/base.md has the metrics. The same versions of the packages give the same tower up to
the last bits.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUTPUT = ROOT / "artsim" / "towers" / "base.onnx"
MOST_BYTES = 12_000_000
SETTINGS = {
    "recipe": "readout",
    "enlarge": 1,
    "feature-maps": "half",
    "embedding-size": 256,
    "num-of-artists": 22,
    "num-of-images-per-artist": 160,
    "seed": 0,
}


def main() -> int:
    """Train, export and check the size of the file."""
    paintings = Path(os.environ["ARTSIM_DATA"], "paintings")
    with tempfile.TemporaryDirectory(prefix="artsim-") as name:
        folder = Path(name)
        data = {"data-file-path": paintings / "train_info.csv", "data-dir": paintings / "train"}
        flags = [part for key, value in (SETTINGS | data).items() for part in (f"--{key}", str(value))]
        _artsim(folder, "train", *flags, "--checkpoint-dir", "Checkpoints")
        (run,) = (folder / "Checkpoints").iterdir()
        _artsim(folder, "export", str(run), "--precision", "fp16-weights", "--output", str(OUTPUT))
    size = OUTPUT.stat().st_size
    print(f"{OUTPUT.relative_to(ROOT)}: {size:,} bytes")
    return int(size > MOST_BYTES)


def _artsim(folder: Path, *arguments: str) -> None:
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    subprocess.run([sys.executable, "-m", "artsim", *arguments], cwd=folder, env=environment, check=True)


if __name__ == "__main__":
    sys.exit(main())
