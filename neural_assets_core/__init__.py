"""Neural Assets: 3D-aware editing of pictures by boxes and tokens, without any window.

Importable from a notebook or a cluster job; never imports Qt or the studio (`app`).
"""

__version__ = "0.1.0"
