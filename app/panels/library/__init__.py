"""The asset library: folders and tags, a grid of thumbnails, what is known of the chosen ones."""

from app.panels.library.panel import LibraryPanel

__all__ = ["LibraryPanel"]
