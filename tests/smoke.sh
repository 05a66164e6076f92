#!/usr/bin/env bash
# Install artsim into fresh environments of every other Python at hand and use it: train in one, and score in another
# that has no TensorFlow and no MLflow.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

install() { # environment, python, what
  "$2" -m venv "$1"
  "$1/bin/pip" install --quiet --disable-pip-version-check -c constraints.txt "$3"
}

smoke() {
  local python=$1 folder
  folder=$(mktemp -d)
  install "$folder/train" "$python" "$root[train]"
  install "$folder/score" "$python" "$root"
  (
    cd "$folder"
    export XDG_CACHE_HOME="$folder/cache"
    train/bin/artsim --version
    train/bin/artsim demo works --num-of-artists 6 --num-of-images-per-artist 5
    train/bin/artsim train --recipe compact --data-file-path works/train_info.csv --image-size 32 --batch-size 16 --epochs 1 --quiet
    if score/bin/artsim train 2> refused.txt; then echo "trained without TensorFlow?" >&2; exit 1; fi
    grep -q 'pip install "artsim\[train\]"' refused.txt
    score/bin/artsim-score --model Checkpoints/*/tower.onnx --data-dir works/train -o scores.csv Checkpoints/*/pairs.csv
    score/bin/python -c "import artsim, glob; print(artsim.load(glob.glob('Checkpoints/*/tower.onnx')[0]).card.recipe)"
    test "$(wc -l < scores.csv)" -gt 1
  )
  rm -rf "$folder"
}

find_python() { # version; pyenv's own command may be there and refuse to run
  local candidate
  for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/"python$1"; do
    if "$candidate" -c "" 2> /dev/null; then
      echo "$candidate"
      return
    fi
  done
}

for version in 3.12 3.13; do
  python=$(find_python "$version")
  if [ -n "$python" ]; then
    echo "== Python $version"
    smoke "$python"
  else
    echo "== Python $version: no interpreter here, not tested"
  fi
done
