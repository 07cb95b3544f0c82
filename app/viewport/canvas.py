"""The drawing surface: the picture, strokes over it, labels over those. All of VisPy is here."""

from __future__ import annotations

import ctypes
import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakMethod

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, SignalInstance
from PySide6.QtGui import QImage, QResizeEvent, QShowEvent, QWindow
from PySide6.QtOpenGL import QOpenGLWindow
from PySide6.QtWidgets import QWidget
from vispy import gloo
from vispy.gloo import gl
from vispy.gloo.context import FakeCanvas, set_current_canvas
from vispy.gloo.gl import gl2

from app.turns import frame_is_due, frame_is_shown
from app.viewport import shaders
from app.viewport.damage import Area, Layer, differing_pixels
from app.viewport.labels import render_label
from app.viewport.strokes import Label, Strokes
from neural_assets_core.scene import Picture

# Qt waits 5 ms with a frame, in case that there is more to draw; here a frame is asked for what to
# draw only when it is drawn.
os.environ.setdefault("QT_QPA_UPDATE_IDLE_TIME", "0")

# A frame has a hundred calls of OpenGL, most of them far below a microsecond. Each would let go of
# the interpreter, and a worker may take it for a whole turn.
_library = getattr(gl2, "_lib", None)
if isinstance(_library, ctypes.CDLL) and not sys.platform.startswith("win"):
    gl2._lib = ctypes.PyDLL(_library._name)

SURROUND = (41 / 255, 41 / 255, 41 / 255, 1.0)
"""Neutral grey around the picture: an artist judges colour by it.

A whole step of 255: of others, what is drawn anew is rounded up here and down there.
"""

LARGEST_TEXTURE = 8192
PIXELATED = 8.0
"""From this magnification on, single pixels are shown as squares."""

# Two triangles, which a software rasteriser knows for a rectangle.
_CORNERS = np.array([[0, 0], [1, 0], [0, 1], [0, 1], [1, 0], [1, 1]], np.float32)

Rect = tuple[float, float, float, float]


@dataclass(frozen=True)
class Frame:
    """Everything one redraw shows; lengths in logical pixels.

    Attributes
    ----------
    picture : Picture or None
    rect : tuple of 4 floats
        The picture's left, top, width and height.
    strokes : Strokes
    """

    picture: Picture | None
    rect: Rect
    strokes: Strokes


class _Surface(QOpenGLWindow):
    """A window inside the window that is nothing but drawn on.

    An OpenGL widget would have the whole window composed by OpenGL at every frame, which takes a
    software rasteriser longer than the drawing. Pointer and keys go to the widget that it covers.
    """

    def __init__(self, draw: Callable[[], None]) -> None:
        """`draw` is a method; its object is not kept alive."""
        super().__init__()
        self.setFlags(
            self.flags()
            | Qt.WindowType.WindowTransparentForInput
            | Qt.WindowType.WindowDoesNotAcceptFocus
        )
        self._draw = WeakMethod(draw)

    def paintGL(self) -> None:
        if (draw := self._draw()) is not None:
            draw()


class _Ground(QWidget):
    """What a surface covers: it gets the pointer and the keys."""

    def __init__(self, surface: QWindow, parent: QWidget) -> None:
        super().__init__(parent)
        self._surface = surface
        self.setAttribute(Qt.WidgetAttribute.WA_DontCreateNativeAncestors)
        self.setAttribute(Qt.WidgetAttribute.WA_NativeWindow)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.WheelFocus)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        handle = self.windowHandle()
        if self._surface.parent() is not handle:
            self._surface.setParent(handle)
        self._cover()
        self._surface.show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._cover()

    def _cover(self) -> None:
        self._surface.setGeometry(self.rect())


class Canvas:
    """Draws the frames that `frame` makes.

    Parameters
    ----------
    parent : QWidget
    frame : callable
        Asked for a `Frame` at every redraw, so that many changes cost one drawing.

    Attributes
    ----------
    native : QWidget
        Gets the pointer and the keys; what lies over it has to be native too.
    frame_swapped : signal
    """

    def __init__(self, parent: QWidget, frame: Callable[[], Frame]) -> None:
        self._frame = frame
        self._surface = _Surface(self._draw)
        self.frame_swapped: SignalInstance = self._surface.frameSwapped
        self.frame_swapped.connect(frame_is_shown)
        self.native = _Ground(self._surface, parent)
        # VisPy's queue of what is to be drawn; without one of its canvases, which are widgets.
        self._queue = FakeCanvas()
        self._strokes = gloo.Program(shaders.STROKE_VERTEX, shaders.STROKE_FRAGMENT)
        self._shades = gloo.Program(shaders.SHADE_VERTEX, shaders.SHADE_FRAGMENT)
        self._image = gloo.Program(shaders.IMAGE_VERTEX, shaders.IMAGE_FRAGMENT)
        self._buffers = {program: gloo.VertexBuffer() for program in (self._shades, self._strokes)}
        self._image["a_corner"] = _CORNERS
        self._picture = _texture("linear")
        self._uploaded: tuple[Picture | None, int, NDArray[np.uint8] | None] = (None, 0, None)
        self._labels: dict[tuple[Label, float], tuple[gloo.Texture2D, float, float]] = {}
        # What was drawn last is kept: of the next frame, only what differs is drawn.
        self._kept = _texture("nearest")
        self._keeper = gloo.FrameBuffer()
        self._drawn: _Drawing | None = None
        self._begun = False

    @property
    def ratio(self) -> float:
        """Physical pixels per logical pixel."""
        return float(self.native.devicePixelRatioF())

    def expect(self) -> None:
        """There will be a frame to draw: workers wait from now on."""
        if self.native.isVisible() and self._surface.isExposed():
            frame_is_due()

    def update(self) -> None:
        """Draw a frame soon; one for any number of calls."""
        self.expect()
        self._surface.update()

    def grab(self) -> QImage:
        """What is shown, drawn anew."""
        self._surface.makeCurrent()
        self._draw()
        return self._surface.grabFramebuffer()

    def _draw(self) -> None:
        frame = self._frame()
        set_current_canvas(self._queue)
        # Should drawing fail, nothing is known about what is kept, here and on the card.
        before, self._drawn = self._drawn, None
        if before is None:
            self._uploaded = (None, 0, None)
        drawing = self._drawing(frame)
        width, height = drawing.size
        gloo.set_viewport(0, 0, width, height)
        gloo.set_state(depth_test=False, cull_face=False, blend=False)
        if before is None or before.size != drawing.size or before.ratio != drawing.ratio:
            self._resize(drawing)
        area = drawing.damage(before)
        if area is not None:
            with self._keeper:
                self._draw_area(drawing, area)
        # Software rasterisers draw the very first frame by a way that they leave for a faster one,
        # up to 3 steps of 255 off: parts of both beside each other would be seen.
        self._drawn = drawing if self._begun else None
        self._begun = True
        gloo.set_state(blend=False)
        # Upside down: a texture begins with its lowest row.
        logical = (width / drawing.ratio, height / drawing.ratio)
        self._draw_image(self._kept, (0.0, logical[1], logical[0], -logical[1]))
        self._queue.flush()

    def _drawing(self, frame: Frame) -> _Drawing:
        # As Qt rounds the size of its framebuffer; then a logical pixel is exactly `ratio` wide.
        width, height = (
            max(math.floor(side * self.ratio + 0.5), 1)
            for side in (self.native.width(), self.native.height())
        )
        return _Drawing(
            (width, height),
            self.ratio,
            frame.picture,
            frame.rect,
            self._upload(frame),
            Layer.of(frame.strokes.shades()),
            Layer.of(frame.strokes.vertices()),
            {label: self._plate(label) for label in frame.strokes.labels},
        )

    def _resize(self, drawing: _Drawing) -> None:
        width, height = drawing.size
        _set_size(self._kept, (height, width, 4))
        self._keeper.color_buffer = self._kept
        for program in (self._image, self._shades, self._strokes):
            program["u_size"] = (width / drawing.ratio, height / drawing.ratio)
        self._strokes["u_ratio"] = drawing.ratio

    def _draw_area(self, drawing: _Drawing, area: Area) -> None:
        """Draw what is in an area, and keep it."""
        x, y, width, height = area.on_pixels(drawing.ratio, *drawing.size)
        gloo.set_state(scissor_test=True)
        gloo.set_scissor(x, drawing.size[1] - y - height, width, height)
        # Nothing here has a depth: clearing one costs a software rasteriser milliseconds.
        gloo.clear(color=SURROUND, depth=False, stencil=False)
        self._draw_picture(drawing)
        gloo.set_state(blend=True)
        gloo.set_blend_func("src_alpha", "one_minus_src_alpha")
        self._draw_triangles(self._shades, drawing.shades.within(area))
        self._draw_triangles(self._strokes, drawing.strokes.within(area))
        for label, plate in drawing.labels.items():
            if plate.meets(area):
                self._draw_label(label, plate)
        gloo.set_state(scissor_test=False)

    def _draw_triangles(self, program: gloo.Program, vertices: NDArray[np.void]) -> None:
        if len(vertices):
            buffer = self._buffers[program]
            buffer.set_data(vertices)
            program.bind(buffer)
            program.draw("triangles")

    def _draw_image(self, texture: gloo.Texture2D, rect: Rect) -> None:
        self._image["u_texture"] = texture
        self._image["u_rect"] = rect
        self._image.draw("triangles")

    def _draw_picture(self, drawing: _Drawing) -> None:
        if drawing.picture is None:
            return
        magnification = drawing.rect[2] * drawing.ratio / drawing.picture.width
        corner = drawing.ratio * np.array(drawing.rect[:2])
        # Pixel on pixel there is nothing to interpolate, and rasterisers round when they do.
        own = magnification == 1.0 and np.allclose(corner, np.round(corner), rtol=0.0, atol=1e-6)
        nearest = own or magnification >= PIXELATED
        self._picture.interpolation = "nearest" if nearest else "linear"
        self._draw_image(self._picture, drawing.rect)
        # A software rasteriser is faster at rectangles wherever there is nothing else to draw yet.
        gloo.flush()

    def _upload(self, frame: Frame) -> Area | None:
        """Bring the picture to the card, halved as often as it will be shown smaller.

        A texture drawn at less than half its size flickers and eats memory.

        Returns
        -------
        changed : Area or None
            Where on the screen it is another than the last one that was there.
        """
        picture = frame.picture
        if picture is None:
            return None
        side = max(picture.width, picture.height)
        magnification = frame.rect[2] * self.ratio / picture.width
        halvings = max(
            math.floor(math.log2(1 / magnification) + 1e-9),
            math.ceil(math.log2(side / LARGEST_TEXTURE)),
            0,
        )
        if self._uploaded[0] is picture and self._uploaded[1] == halvings:
            return None
        pixels = picture.pixels
        if halvings:
            size = (max(picture.width >> halvings, 1), max(picture.height >> halvings, 1))
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        changed = differing_pixels(self._uploaded[2], pixels)
        self._uploaded = (picture, halvings, pixels)
        if changed is None:
            return None
        _set_pixels(self._picture, pixels, changed)
        # Between pixels the card interpolates.
        around, (height, width) = changed.grown(1.0), pixels.shape[:2]
        across, down = frame.rect[2] / width, frame.rect[3] / height
        return Area(
            frame.rect[0] + across * around.left,
            frame.rect[1] + down * around.top,
            frame.rect[0] + across * around.right,
            frame.rect[1] + down * around.bottom,
        )

    def _plate(self, label: Label) -> Area:
        """Where a label lies."""
        _, width, height = self._rendered(label)
        corner = (label.at[0] - 0.5 * width, label.at[1] - 0.5 * height)
        # Whole physical pixels: letters stay sharp.
        left, top = (round(side * self.ratio) / self.ratio for side in corner)
        return Area(left, top, left + width, top + height)

    def _draw_label(self, label: Label, plate: Area) -> None:
        texture, width, height = self._rendered(label)
        self._draw_image(texture, (plate.left, plate.top, width, height))

    def _rendered(self, label: Label) -> tuple[gloo.Texture2D, float, float]:
        """A label as a texture, its width and its height."""
        key = (Label(label.text, (0.0, 0.0), label.color, label.boxed), self.ratio)
        if key not in self._labels:
            if len(self._labels) > 200:
                self._labels.clear()
            image = render_label(label, self.ratio)
            texture = gloo.Texture2D(image, interpolation="linear", wrapping="clamp_to_edge")
            size = image.shape[1] / self.ratio, image.shape[0] / self.ratio
            self._labels[key] = (texture, *size)
        return self._labels[key]


@dataclass(frozen=True)
class _Drawing:
    """What a frame shows, ready to be drawn; sizes in physical, places in logical pixels."""

    size: tuple[int, int]
    ratio: float
    picture: Picture | None
    rect: Rect
    repainted: Area | None
    """Where the picture is another than before."""
    shades: Layer
    strokes: Layer
    labels: dict[Label, Area]

    def damage(self, before: _Drawing | None) -> Area | None:
        """What has to be drawn anew where the drawing before is still there."""
        if before is None or self._ground() != before._ground():
            return Area(0.0, 0.0, self.size[0] / self.ratio, self.size[1] / self.ratio)
        changes = [
            self.repainted,
            self.shades.damage(before.shades),
            self.strokes.damage(before.strokes),
        ]
        changes += [plate for label, plate in self.labels.items() if label not in before.labels]
        changes += [plate for label, plate in before.labels.items() if label not in self.labels]
        return Area.united(changes)

    def _ground(self) -> tuple[object, ...]:
        """What lies under everything, and where."""
        return self.size, self.ratio, self.picture is None, self.rect


# VisPy knows no textures of blue, green, red and opacity, but that is what screens are made of: a
# software rasteriser fills a window with such a one three times as fast.
_BGRA = gl.Enum("GL_BGRA", 0x80E1)


def _texture(interpolation: str) -> gloo.Texture2D:
    return gloo.Texture2D(shape=(1, 1, 4), interpolation=interpolation, wrapping="clamp_to_edge")


def _set_size(texture: gloo.Texture2D, shape: tuple[int, ...]) -> None:
    texture.glir.command("SIZE", texture.id, shape, _BGRA, gl.GL_RGBA)


def _set_pixels(texture: gloo.Texture2D, pixels: NDArray[np.uint8], area: Area) -> None:
    """Make a texture of colour pixels (height, width, 3), or grey ones (height, width).

    Of those in `area` if it has had the others before.
    """
    height, width = pixels.shape[:2]
    rows = slice(round(area.top), round(area.bottom))
    columns = slice(round(area.left), round(area.right))
    _set_size(texture, (height, width, 4))
    kind = cv2.COLOR_GRAY2BGRA if pixels.ndim == 2 else cv2.COLOR_RGB2BGRA
    part = cv2.cvtColor(pixels[rows, columns], kind)
    texture.glir.command("DATA", texture.id, (rows.start, columns.start), part)
