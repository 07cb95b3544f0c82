"""Neural Assets Studio: the desktop program around `neural_assets_core`."""
