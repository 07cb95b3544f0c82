"""Scene and its parts: frozen values; editing makes a new one."""

from neural_assets_core.scene.archive import SCENE_SUFFIX, load_scene, save_scene
from neural_assets_core.scene.motion import Animation, Keyframe, Track
from neural_assets_core.scene.picture import Picture
from neural_assets_core.scene.scene import (
    Appearance,
    Background,
    GenerationSettings,
    Scene,
    SceneObject,
    View,
    scene_from_view,
)
from neural_assets_core.scene.wireframe import Wireframe

__all__ = [
    "SCENE_SUFFIX",
    "Animation",
    "Appearance",
    "Background",
    "GenerationSettings",
    "Keyframe",
    "Picture",
    "Scene",
    "SceneObject",
    "Track",
    "View",
    "Wireframe",
    "load_scene",
    "save_scene",
    "scene_from_view",
]
