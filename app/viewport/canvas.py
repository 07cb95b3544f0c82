"""The drawing surface: the picture, strokes over it, labels over those. All of VisPy is here."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakMethod

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt, SignalInstance
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QPainter,
    QResizeEvent,
    QShowEvent,
    QWindow,
)
from PySide6.QtOpenGL import QOpenGLWindow
from PySide6.QtWidgets import QWidget
from vispy import gloo
from vispy.gloo.context import FakeCanvas, set_current_canvas

from app.viewport.strokes import Color, Label, Strokes
from neural_assets_core.scene import Picture

# Qt waits 5 ms with a frame, in case that there is more to draw; here a frame is asked for what to
# draw only when it is drawn.
os.environ.setdefault("QT_QPA_UPDATE_IDLE_TIME", "0")

SURROUND = (0.16, 0.16, 0.16, 1.0)
"""Neutral grey around the picture: an artist judges colour by it."""

LARGEST_TEXTURE = 8192
PIXELATED = 8.0
"""From this magnification on, single pixels are shown as squares."""

_STROKE_VERTEX = """
uniform vec2 u_size;
attribute vec2 a_position;
attribute vec2 a_place;
attribute vec3 a_shape;
attribute vec4 a_color;
varying vec2 v_place;
varying vec3 v_shape;
varying vec4 v_color;
void main() {
    v_place = a_place;
    v_shape = a_shape;
    v_color = a_color;
    gl_Position = vec4(2.0 * a_position / u_size - 1.0, 0.0, 1.0) * vec4(1.0, -1.0, 1.0, 1.0);
}
"""

_STROKE_FRAGMENT = """
uniform float u_ratio;
varying vec2 v_place;
varying vec3 v_shape;
varying vec4 v_color;
void main() {
    float past = max(max(-v_place.x, v_place.x - v_shape.x), 0.0);
    float cover = clamp((v_shape.y - length(vec2(past, v_place.y))) * u_ratio + 0.5, 0.0, 1.0);
    if (v_shape.z > 0.0) {
        float phase = abs(mod(v_place.x, v_shape.z) - 0.5 * v_shape.z);
        cover *= clamp((phase - 0.25 * v_shape.z) * u_ratio + 0.5, 0.0, 1.0);
    }
    gl_FragColor = vec4(v_color.rgb, v_color.a * cover);
}
"""

_SHADE_VERTEX = """
uniform vec2 u_size;
attribute vec2 a_position;
attribute vec4 a_color;
varying vec4 v_color;
void main() {
    v_color = a_color;
    gl_Position = vec4(2.0 * a_position / u_size - 1.0, 0.0, 1.0) * vec4(1.0, -1.0, 1.0, 1.0);
}
"""

_SHADE_FRAGMENT = """
varying vec4 v_color;
void main() {
    gl_FragColor = v_color;
}
"""

_IMAGE_VERTEX = """
uniform vec2 u_size;
uniform vec4 u_rect;
attribute vec2 a_corner;
varying vec2 v_corner;
void main() {
    v_corner = a_corner;
    vec2 at = u_rect.xy + a_corner * u_rect.zw;
    gl_Position = vec4(2.0 * at / u_size - 1.0, 0.0, 1.0) * vec4(1.0, -1.0, 1.0, 1.0);
}
"""

_IMAGE_FRAGMENT = """
uniform sampler2D u_texture;
varying vec2 v_corner;
void main() {
    gl_FragColor = texture2D(u_texture, v_corner);
}
"""

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
        self.native = _Ground(self._surface, parent)
        # VisPy's queue of what is to be drawn; without one of its canvases, which are widgets.
        self._queue = FakeCanvas()
        self._strokes = gloo.Program(_STROKE_VERTEX, _STROKE_FRAGMENT)
        self._shades = gloo.Program(_SHADE_VERTEX, _SHADE_FRAGMENT)
        self._image = gloo.Program(_IMAGE_VERTEX, _IMAGE_FRAGMENT)
        self._buffers = {program: gloo.VertexBuffer() for program in (self._shades, self._strokes)}
        self._image["a_corner"] = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
        self._picture = gloo.Texture2D(shape=(1, 1, 3), wrapping="clamp_to_edge")
        self._uploaded: tuple[Picture | None, int] = (None, 0)
        self._labels: dict[tuple[Label, float], tuple[gloo.Texture2D, float, float]] = {}

    @property
    def ratio(self) -> float:
        """Physical pixels per logical pixel."""
        return float(self.native.devicePixelRatioF())

    def update(self) -> None:
        """Draw a frame soon; one for any number of calls."""
        self._surface.update()

    def grab(self) -> QImage:
        """What is shown, drawn anew."""
        self._surface.makeCurrent()
        self._draw()
        return self._surface.grabFramebuffer()

    def _draw(self) -> None:
        frame = self._frame()
        set_current_canvas(self._queue)
        # As Qt rounds the size of its framebuffer; then a logical pixel is exactly `ratio` wide.
        width, height = (
            max(math.floor(side * self.ratio + 0.5), 1)
            for side in (self.native.width(), self.native.height())
        )
        gloo.set_viewport(0, 0, width, height)
        gloo.set_state(depth_test=False, cull_face=False, blend=False)
        # Nothing here has a depth: clearing one costs a software rasteriser milliseconds.
        gloo.clear(color=SURROUND, depth=False, stencil=False)
        for program in (self._image, self._shades, self._strokes):
            program["u_size"] = (width / self.ratio, height / self.ratio)
        self._strokes["u_ratio"] = self.ratio
        self._draw_picture(frame)
        gloo.set_state(blend=True)
        gloo.set_blend_func("src_alpha", "one_minus_src_alpha")
        self._draw_triangles(self._shades, frame.strokes.shades())
        self._draw_triangles(self._strokes, frame.strokes.vertices())
        for label in frame.strokes.labels:
            self._draw_label(label)
        self._queue.flush()

    def _draw_triangles(self, program: gloo.Program, vertices: NDArray[np.void]) -> None:
        if len(vertices):
            buffer = self._buffers[program]
            buffer.set_data(vertices)
            program.bind(buffer)
            program.draw("triangles")

    def _draw_picture(self, frame: Frame) -> None:
        if frame.picture is None:
            return
        magnification = frame.rect[2] * self.ratio / frame.picture.width
        self._upload(frame.picture, magnification)
        self._picture.interpolation = "nearest" if magnification >= PIXELATED else "linear"
        self._image["u_texture"] = self._picture
        self._image["u_rect"] = frame.rect
        self._image.draw("triangle_strip")

    def _upload(self, picture: Picture, magnification: float) -> None:
        """Bring the picture to the card, halved as often as it will be shown smaller.

        A texture drawn at less than half its size flickers and eats memory.
        """
        side = max(picture.width, picture.height)
        halvings = max(
            math.floor(math.log2(1 / magnification) + 1e-9),
            math.ceil(math.log2(side / LARGEST_TEXTURE)),
            0,
        )
        if self._uploaded[0] is picture and self._uploaded[1] == halvings:
            return
        pixels = picture.pixels
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[..., None], 3, axis=2)
        if halvings:
            size = (max(picture.width >> halvings, 1), max(picture.height >> halvings, 1))
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        self._picture.set_data(np.ascontiguousarray(pixels))
        self._uploaded = (picture, halvings)

    def _draw_label(self, label: Label) -> None:
        key = (Label(label.text, (0.0, 0.0), label.color, label.boxed), self.ratio)
        if key not in self._labels:
            if len(self._labels) > 200:
                self._labels.clear()
            image = render_label(label, self.ratio)
            texture = gloo.Texture2D(image, interpolation="linear", wrapping="clamp_to_edge")
            size = image.shape[1] / self.ratio, image.shape[0] / self.ratio
            self._labels[key] = (texture, *size)
        texture, width, height = self._labels[key]
        corner = (label.at[0] - 0.5 * width, label.at[1] - 0.5 * height)
        # Whole physical pixels: letters stay sharp.
        left, top = (round(side * self.ratio) / self.ratio for side in corner)
        self._image["u_texture"] = texture
        self._image["u_rect"] = (left, top, width, height)
        self._image.draw("triangle_strip")


def render_label(label: Label, ratio: float) -> NDArray[np.uint8]:
    """A label as RGBA pixels (height, width, 4), for a display of `ratio` pixels per pixel."""
    font = QFont()
    font.setPixelSize(12)
    font.setWeight(QFont.Weight.DemiBold)
    metrics = QFontMetricsF(font)
    text = metrics.elidedText(label.text, Qt.TextElideMode.ElideMiddle, 220.0)
    pad = 6.0 if label.boxed else 2.0
    width = math.ceil(metrics.horizontalAdvance(text) + 2 * pad)
    height = math.ceil(metrics.height() + 4)
    image = QImage(round(width * ratio), round(height * ratio), QImage.Format.Format_RGBA8888)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(font)
    area = QRectF(0, 0, width, height)
    if label.boxed:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(20, 20, 20, 190))
        painter.drawRoundedRect(area, 4, 4)
    painter.setPen(_qcolor(label.color))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8)
    rows = pixels.reshape(image.height(), image.bytesPerLine())[:, : 4 * image.width()]
    return np.ascontiguousarray(rows.reshape(image.height(), image.width(), 4))


def _qcolor(color: Color) -> QColor:
    return QColor.fromRgbF(*color)
