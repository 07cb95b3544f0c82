"""The command line, `neural-assets`: one module for each group of commands.

Exit status: 0; 1 for a fault of the program; 2 for bad input or usage, told in one sentence on
stderr; 130 after Ctrl-C. Modules here import the core inside of their commands: `--help` is
answered at once, and only who generates waits for torch.
"""

from neural_assets_core.cli.interruption import end

try:
    from neural_assets_core.cli.main import app, main
except KeyboardInterrupt:
    end()

__all__ = ["app", "main"]
