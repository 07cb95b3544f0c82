"""The photograph with its boxes: drawing, navigation, selection and manipulation."""

from app.viewport.viewport import Viewport

__all__ = ["Viewport"]
