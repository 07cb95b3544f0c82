"""The geometric proxy: the edit drawn by geometry, on any picture.

Every target pixel whose ray enters an object's box looks for the object along the ray, in the
source view. The background is the source picture with the objects cut out, carried over the
ground plane if the camera moved. Holes are filled with what repeats itself around them, or goes on
along the world's axes.

`render_proxy` draws it from shapes that a `Lifter` knows, as the networks were trained on it;
`draw_photograph` draws it without weights, for the eye.

It is the live preview under the hand, a decoder of its own, a baseline to beat, and the
strongest condition of the neural decoder.
"""

from __future__ import annotations

from neural_assets_core.proxy.background import fill_holes, is_untouched, untouched
from neural_assets_core.proxy.composite import draw_edit, draw_photograph
from neural_assets_core.proxy.filling import fill_texture
from neural_assets_core.proxy.objects import CARVER, Layer, Lifter
from neural_assets_core.proxy.photograph import prepare_photograph
from neural_assets_core.proxy.plate import Fill, fill_smoothly
from neural_assets_core.proxy.render import ProxyLayers, check_boxes, proxy_picture, render_proxy
from neural_assets_core.proxy.sampling import appearance_mask, grown

__all__ = [
    "CARVER",
    "Fill",
    "Layer",
    "Lifter",
    "ProxyLayers",
    "appearance_mask",
    "check_boxes",
    "draw_edit",
    "draw_photograph",
    "fill_holes",
    "fill_smoothly",
    "fill_texture",
    "grown",
    "is_untouched",
    "prepare_photograph",
    "proxy_picture",
    "render_proxy",
    "untouched",
]
