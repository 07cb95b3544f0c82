"""Keyframes of the open scene: looked at, played and edited."""

from app.timeline.player import Player
from app.timeline.timeline import Timeline

__all__ = ["Player", "Timeline"]
