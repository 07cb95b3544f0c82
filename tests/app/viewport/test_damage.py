"""Only what differs from the frame before is drawn anew, and that cannot be seen."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from app.viewport.box_strokes import _drawn
from app.viewport.damage import Area, Layer, differing_pixels
from app.viewport.strokes import SHADE_VERTEX
from neural_assets_core.scene import Picture

SIDE = 8
corner = st.tuples(*[st.integers(-2, SIDE + 2)] * 2)
shape = st.tuples(st.tuples(corner, corner, corner), st.sampled_from([0.1, 0.5, 0.9]))
edits = st.lists(
    st.tuples(st.sampled_from(["add", "drop", "turn"]), st.integers(0, 5), shape), max_size=5
)


@st.composite
def two_frames(draw):
    """Shapes, and the same with some put in, taken out or brought to the front."""
    before = draw(st.lists(shape, max_size=5))
    now = list(before)
    for what, place, one in draw(edits):
        if what == "add":
            now.insert(place, one)
        elif place < len(now):
            taken = now.pop(place)
            now += [taken] if what == "turn" else []
    return before, now


def layer(shapes) -> Layer:
    vertices = np.zeros(3 * len(shapes), SHADE_VERTEX)
    for index, (corners, opacity) in enumerate(shapes):
        vertices["a_position"][3 * index : 3 * index + 3] = corners
        vertices["a_color"][3 * index : 3 * index + 3, 3] = opacity
    return Layer.of(vertices)


def painted(vertices, on, area) -> np.ndarray:
    """A rasteriser that is easy to trust: pixels (SIDE, SIDE), each triangle over the last."""
    x, y, width, height = area.on_pixels(1.0, SIDE, SIDE)
    shown, row, column = on.copy(), *(np.mgrid[:SIDE, :SIDE] + 0.5)
    shown[y : y + height, x : x + width] = 0.0
    for triangle in vertices.reshape(-1, 3):
        a, b, c = triangle["a_position"]
        turns = [
            (t[0] - s[0]) * (row - s[1]) - (t[1] - s[1]) * (column - s[0])
            for s, t in ((a, b), (b, c), (c, a))
        ]
        inside = np.all(np.greater(turns, 0), axis=0) | np.all(np.less(turns, 0), axis=0)
        inside[:y] = inside[y + height :] = inside[:, :x] = inside[:, x + width :] = False
        opacity = triangle["a_color"][0, 3]
        shown[inside] = opacity * opacity + (1.0 - opacity) * shown[inside]
    return shown


@given(two_frames())
def test_drawing_what_differs_makes_the_same_picture(frames):
    before, now = map(layer, frames)
    whole, empty = Area(0, 0, SIDE, SIDE), np.zeros((SIDE, SIDE))
    kept = painted(before.vertices, empty, whole)
    area = now.damage(before)
    if area is not None:
        kept = painted(now.within(area), kept, area)
    assert np.array_equal(kept, painted(now.vertices, empty, whole))


def test_what_comes_first_does_not_touch_the_rest():
    still = [(((0, 0), (2, 0), (0, 2)), 0.5), (((5, 5), (7, 5), (5, 7)), 0.1)]
    moving = [(((3, 0), (4, 0), (3, 1)), 0.9)]
    assert layer(moving + still).damage(layer(still)) == Area(3, 0, 4, 1)
    shuffled = [still[0], *moving, still[1]]
    assert layer(shuffled).damage(layer(moving + still)) == Area(0, 0, 4, 2)
    assert layer(still).damage(layer(still)) is None


def test_whatever_happens_the_window_is_as_if_all_had_been_drawn(hand):
    canvas = hand.viewport._canvas

    def compare():
        shown = hand.screen()
        canvas._drawn = None
        off = np.abs(shown.astype(int) - hand.screen())
        # One step of 255 is how a rasteriser rounds a pixel when it fills another rectangle: single
        # ones, no surface.
        assert off.max() <= 1
        assert off.any(axis=2).mean() < 0.001
        return shown

    seen = [compare()]
    for name in ("mug", "book", "kettle"):
        hand.move(hand.front(name), Qt.MouseButton.NoButton)
        seen.append(compare())
    for start, way in (("mug", [40, -30]), ("book", [-200, 15])):
        at = hand.front(start)
        hand.press(at)
        for share in (0.2, 0.6, 1.0):
            hand.move(at + share * np.array(way))
            seen.append(compare())
        hand.release(at + way)
        seen.append(compare())
    hand.viewport.tools.set_tool("turn")
    hand.drag(hand.handle("turn z"), hand.handle("turn z") + [60.0, 10.0])
    seen.append(compare())
    hand.key(Qt.Key.Key_Escape)
    hand.wheel(np.array([300.0, 250.0]), 2)
    seen.append(compare())
    hand.document.undo_stack.undo()
    hand.document.set_hidden(["mug"], True)
    seen.append(compare())
    hand.viewport.window().resize(640, 500)
    seen.append(compare())
    assert len({frame.tobytes() for frame in seen}) == len(seen)


@given(st.integers(1, 6), st.integers(1, 7), st.sampled_from([(), (3,)]), st.data())
def test_of_two_pictures_just_the_part_that_differs_is_found(height, width, colours, data):
    old = np.zeros((height, width, *colours), np.uint8)
    new, spots = old.copy(), st.tuples(st.integers(0, height - 1), st.integers(0, width - 1))
    chosen = data.draw(st.lists(spots, max_size=3))
    for row, column in chosen:
        new[row, column, ...].flat[-1] = 9
    found = differing_pixels(old, new)
    if not chosen:
        assert found is None
    else:
        (top, left), (bottom, right) = np.min(chosen, axis=0), np.max(chosen, axis=0) + 1
        assert found == Area(left, top, right, bottom)


def test_of_another_picture_only_the_part_that_differs_is_drawn_and_that_cannot_be_seen(hand):
    viewport, canvas = hand.viewport, hand.viewport._canvas
    pixels = hand.document.scene.background.view.picture.pixels
    height, width = pixels.shape[:2]
    drawn = []
    draw_area = canvas._draw_area
    canvas._draw_area = lambda drawing, area: (drawn.append(area), draw_area(drawing, area))
    seen = []
    for zoom in (1.0, 1.7, 0.3):
        viewport.zoom(zoom)
        viewport.show_picture(Picture(pixels))
        seen.append(hand.screen())
        for column in (width // 4, width // 2):
            other = pixels.copy()
            other[height // 3 : height // 2, column : column + 9] ^= 0xFF
            drawn.clear()
            viewport.show_picture(Picture(other))
            shown = hand.screen()
            assert len(drawn) == 1
            assert drawn[0].right - drawn[0].left < 0.5 * width * viewport.navigation.scale
            seen.append(shown)
            canvas._drawn = None
            assert np.abs(shown.astype(int) - hand.screen()).max() <= 1
    assert len({frame.tobytes() for frame in seen}) == len(seen)
    # The same pixels in another picture are nothing to be drawn.
    drawn.clear()
    viewport.show_picture(Picture(other.copy()))
    hand.screen()
    assert drawn == []


def test_while_a_box_is_dragged_the_others_are_not_computed_anew(hand):
    at = hand.front("mug")
    hand.press(at)
    hand.move(at + [20.0, 10.0])
    hand.screen()
    computed = _drawn.cache_info().misses
    for step in range(1, 4):
        hand.move(at + [20.0 + step, 10.0])
        hand.screen()
    assert _drawn.cache_info().misses == computed + 3
    hand.release(at)
