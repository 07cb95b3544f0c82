"""Scenes that move: ready-made motions, keyframes, and the films that are made of them."""

from neural_assets_core.animation.flicker import Flicker, measure_flicker
from neural_assets_core.animation.keyframes import (
    animation_frames,
    keyed,
    place_at,
    played,
    scene_at,
    with_key_scene,
    with_keyframes,
    with_playback,
)
from neural_assets_core.animation.paths import camera_orbit, turntable
from neural_assets_core.animation.video import FORMATS, Film, check_film, render_video

__all__ = [
    "FORMATS",
    "Film",
    "Flicker",
    "animation_frames",
    "camera_orbit",
    "check_film",
    "keyed",
    "measure_flicker",
    "place_at",
    "played",
    "render_video",
    "scene_at",
    "turntable",
    "with_key_scene",
    "with_keyframes",
    "with_playback",
]
