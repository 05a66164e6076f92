"""`mlflow run` on real paintings, the default recipe from scratch, and its exported tower on pairs it has never seen.

    ARTSIM_DATA=... python -m benchmarks.paintings

Trains on the 2,506 works by 22 artists of paintings/train_info.csv; scores the 30,135 pairs of new works by the same
artists and the 51,040 pairs by 8 other artists with `artsim-score`.

Expected: an AUC above 0.62 on both, which is what a first plain network gives.
Measured in 2026-11 on 2 shared AMD EPYC cores, other work beside it: 9.8 min, 0.731 on artists trained on, 0.709 on
others.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.data import data, verdict
from benchmarks.seed_sample import COMMAND

EXPECTED_AUC = 0.62
ROOT = Path(__file__).parents[1]


def main() -> int:
    """Train once, score both files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--keep", type=Path, help="copy the exported tower there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.perf_counter()
        _train(folder, arguments.seed, arguments.epochs)
        minutes = (time.perf_counter() - started) / 60
        (tower,) = folder.glob("checkpoints/*/tower.onnx")
        if arguments.keep:
            arguments.keep.write_bytes(tower.read_bytes())
        auc = {kind: _score(tower, kind, folder / f"{kind}.json") for kind in ("seen", "unseen")}
    print(f"{minutes:.1f} min, AUC {auc['seen']:.3f} on artists trained on, {auc['unseen']:.3f} on others")
    return verdict(min(auc.values()) > EXPECTED_AUC, f"above {EXPECTED_AUC} on both")


def _train(folder: Path, seed: int, epochs: int) -> None:
    parameters = {
        "data_file_path": data("paintings", "train_info.csv"),
        "data_dir": data("paintings", "train"),
        "num_of_artists": 22,
        "num_of_images_per_artist": 160,
        "epochs": epochs,
        "seed": seed,
        "checkpoint_dir": folder / "checkpoints",
        "summaries_dir": folder / "summaries",
    }
    flags = [part for key, value in parameters.items() for part in ("-P", f"{key}={value}")]
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [sys.executable, "-m", "mlflow", "run", str(ROOT), "--env-manager", "local", *flags]
    subprocess.run(command, cwd=folder, env=environment, check=True)


def _score(tower: Path, kind: str, summary: Path) -> float:
    pairs, images = data("paintings", f"pairs_{kind}_artists.csv"), data("paintings", "test")
    files = ["--data-dir", str(images), str(pairs), "-o", os.devnull, "--summary", str(summary)]
    subprocess.run([*COMMAND, "--model", str(tower), *files], cwd=ROOT, check=True)
    return float(json.loads(summary.read_text(encoding="utf-8"))["figures"]["auc"])


if __name__ == "__main__":
    sys.exit(main())
