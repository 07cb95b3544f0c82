"""Scenes that move: ready-made motions, keyframes, and the films that are made of them."""

from neural_assets_core.animation.flicker import Flicker, measure_flicker
from neural_assets_core.animation.keyframes import (
    Animation,
    Keyframe,
    Track,
    animation_frames,
    animation_of,
    with_animation,
    with_key_scene,
)
from neural_assets_core.animation.paths import camera_orbit, turntable
from neural_assets_core.animation.video import FORMATS, Film, check_film, render_video

__all__ = [
    "FORMATS",
    "Animation",
    "Film",
    "Flicker",
    "Keyframe",
    "Track",
    "animation_frames",
    "animation_of",
    "camera_orbit",
    "check_film",
    "measure_flicker",
    "render_video",
    "turntable",
    "with_animation",
    "with_key_scene",
]
