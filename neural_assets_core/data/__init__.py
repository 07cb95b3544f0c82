"""Training data: made scenes, the on-disk dataset format and its reader."""

import os

# Rendering is headless by default; this must be decided before the renderer is imported.
os.environ.setdefault("MUJOCO_GL", "egl")
