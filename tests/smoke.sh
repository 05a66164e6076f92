#!/usr/bin/env bash
# Install artsim into a fresh environment of every other Python at hand, and use it: demo, train, score.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

smoke() {
  local python=$1 folder
  folder=$(mktemp -d)
  "$python" -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check -c constraints.txt "$root[train]"
  (
    cd "$folder"
    export PATH="$folder/venv/bin:$PATH" XDG_CACHE_HOME="$folder/cache"
    artsim --version
    artsim demo works --num-of-artists 6 --num-of-images-per-artist 5
    artsim train --data-file-path works/train_info.csv --image-size 32 --batch-size 16 --epochs 1 --quiet
    artsim-score --model Checkpoints/*/tower.onnx --data-dir works/train -o scores.csv Checkpoints/*/pairs.csv
    python -c "import artsim, glob; print(artsim.load(glob.glob('Checkpoints/*/tower.onnx')[0]).card.recipe)"
    test "$(wc -l < scores.csv)" -gt 1
  )
  rm -rf "$folder"
}

for version in 3.12 3.13; do
  if command -v "python$version" > /dev/null && "python$version" -c "" 2> /dev/null; then
    echo "== Python $version"
    smoke "python$version"
  else
    echo "== Python $version: no interpreter here, not tested"
  fi
done
