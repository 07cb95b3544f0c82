"""Pictures of the scene, made off the GUI thread."""

from app.generation.generator import Generator
from app.generation.pictures import Pictures
from app.generation.variants import Variants

__all__ = ["Generator", "Pictures", "Variants"]
