"""Pictures of the scene, made off the GUI thread."""

from app.generation.generator import Generator
from app.generation.pictures import Pictures

__all__ = ["Generator", "Pictures"]
