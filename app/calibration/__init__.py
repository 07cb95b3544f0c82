"""The assistant that finds a photograph's camera, and the hand that draws boxes over it."""

from app.calibration.assistant import Assistant
from app.calibration.sketch import Line, Sketch, Solution, from_millimetres, millimetres, solved

__all__ = [
    "Assistant",
    "Line",
    "Sketch",
    "Solution",
    "from_millimetres",
    "millimetres",
    "solved",
]
