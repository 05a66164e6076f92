"""The tower that comes with artsim; docs/base.md says what it was trained on, and how it was made."""

from pathlib import Path

BASE = Path(__file__).with_name("base.onnx")
