"""`python -m neural_assets_core.cli`, the form that process launchers can start."""

from neural_assets_core.cli import main

main()
