"""Where the files that ship with the program lie."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "resources"
"""The folder `resources` of the repository."""

DEFAULT_CHECKPOINT = ROOT / "checkpoints" / "default"
SAMPLE_SCENES = ROOT / "scenes"
TRAINING_CONFIGS = ROOT / "training"
