"""The photograph with its boxes, and the orbit view: drawing, selection and manipulation."""

from app.viewport.orbit_view import OrbitView
from app.viewport.viewport import Viewport

__all__ = ["OrbitView", "Viewport"]
