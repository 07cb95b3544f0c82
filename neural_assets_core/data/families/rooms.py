"""Things on shelves and in cupboards. Forward is +x: the side a person faces."""

from __future__ import annotations

import cv2
import numpy as np

from neural_assets_core.data.families import parts as p
from neural_assets_core.data.families import sheets
from neural_assets_core.data.families import textures as t
from neural_assets_core.data.families.parts import Material, Part

Rng = np.random.Generator


def _dial(rng: Rng, face: p.Color, ink: p.Color) -> t.Image:
    """A clock's face with hands at a random time, (128, 128, 3)."""
    image = np.empty((128, 128, 3), dtype=np.uint8)
    image[:] = t.as_bytes(face)
    paint = t.as_bytes(ink)
    for k in range(12):
        a = k * np.pi / 6
        tip = (round(64 + 54 * np.sin(a)), round(64 - 54 * np.cos(a)))
        root = (round(64 + 44 * np.sin(a)), round(64 - 44 * np.cos(a)))
        cv2.line(image, root, tip, paint, 5 if k % 3 == 0 else 2, cv2.LINE_AA)
    for reach, width in ((28, 6), (42, 4)):
        a = float(rng.uniform(0, 2 * np.pi))
        tip = (round(64 + reach * np.sin(a)), round(64 - reach * np.cos(a)))
        cv2.line(image, (64, 64), tip, paint, width, cv2.LINE_AA)
    cv2.circle(image, (64, 64), 5, t.as_bytes(t.pick(rng, t.PAINTS)), -1, cv2.LINE_AA)
    return image


def alarm_clock(rng: Rng) -> list[Part]:
    """A round alarm clock with two bells, a hammer and feet; the dial faces +x."""
    paint, accent = t.two_paints(rng)
    case = t.metal(paint) if rng.random() < 0.4 else t.plastic(paint)
    bell = t.GOLD if rng.random() < 0.4 else t.metal(accent)
    face = t.plastic(
        (1, 1, 1), _dial(rng, t.pick(rng, t.NEUTRALS[:1]), t.pick(rng, t.NEUTRALS[3:4]))
    )
    r, d = 0.5, float(rng.uniform(0.3, 0.45))
    z = r + 0.12
    circle = [
        (r * 0.86 * float(np.cos(a)), z + r * 0.86 * float(np.sin(a)))
        for a in np.linspace(0, 2 * np.pi, 33)[:-1]
    ]
    dome = [(0.2, 0), (0.19, 0.08), (0.12, 0.15), (0, 0.18)]
    out = [
        p.cylinder(r, d, (0, 0, z), case, "x", 36),
        p.extrude(circle, 0.02, face, "yz", (d / 2 + 0.005, 0, 0)),
        p.cylinder(0.05, 0.2, (0, 0, z + r + 0.07), t.CHROME, "z", 12),
        p.box((0.06, 0.12, 0.08), (0, 0, z + r + 0.2), t.CHROME),
        p.cylinder(0.06, 0.06, (-d / 2 - 0.02, 0.18, z), t.CHROME, "x", 12),
        p.tube(p.arc((0, 0, z + r), (0.3, 0.34), 0.2, np.pi - 0.2, "yz", 11), 0.025, t.CHROME, 8),
    ]
    for side in (-1.0, 1.0):
        cap = p.moved([p.lathe(dome, bell)], axis=(1, 0, 0), angle=-side * 0.6)
        out += p.moved(cap, (0, side * 0.32, z + r * 0.86))
        out.append(
            p.tube(
                [(0, side * 0.28, z - r * 0.8), (0.03, side * 0.42, 0.03)],
                [0.06, 0.045],
                t.CHROME,
                10,
            )
        )
    return out


def fan(rng: Rng) -> list[Part]:
    """A table fan: blades in a wire cage in front, motor behind, buttons on the foot."""
    paint, accent = t.two_paints(rng)
    body, blade = t.plastic(paint), t.plastic(accent)
    wire = t.CHROME if rng.random() < 0.5 else t.plastic(t.shade(paint, 0.6))
    r, z = 0.42, float(rng.uniform(0.62, 0.9))
    head = [
        p.cylinder(0.15, 0.3, (-0.2, 0, 0), body, "x", 18),
        p.ellipsoid((0.1, 0.09, 0.09), (0.1, 0, 0), body, 14),
    ]
    count = int(rng.integers(3, 6))
    shape = p.rounded(0.3, 0.2, 0.1, (0.2, 0.03))
    for k in range(count):
        one = p.extrude(shape, 0.015, blade, "yz").moved(axis=(0, 1, 0.3), angle=0.25)
        head.append(one.moved((0.06, 0, 0), (1, 0, 0), 2 * np.pi * k / count))
    circle = np.linspace(0, 2 * np.pi, 25)
    for reach, x in ((r, 0.05), (r * 0.7, 0.14), (r * 0.35, 0.17)):
        ring = np.column_stack([np.full(25, x), reach * np.cos(circle), reach * np.sin(circle)])
        head.append(p.tube(ring, 0.02 if reach == r else 0.01, wire, 6))
    for a in np.linspace(0, 2 * np.pi, 13)[:-1]:
        c, s = float(np.cos(a)), float(np.sin(a))
        spoke = [
            (-0.08, 0.14 * c, 0.14 * s),
            (0.05, r * c, r * s),
            (0.14, 0.7 * r * c, 0.7 * r * s),
            (0.18, 0.06 * c, 0.06 * s),
        ]
        head.append(p.tube(spoke, 0.009, wire, 5))
    out = p.moved(head, (0, 0, z), (0, 1, 0), -float(rng.uniform(-0.1, 0.3)))
    foot = p.lathe([(0, 0), (0.34, 0), (0.34, 0.05), (0.2, 0.1), (0, 0.11)], body)
    out += [foot, p.tube([(-0.06, 0, 0.08), (-0.16, 0, z - 0.05)], [0.07, 0.05], body)]
    for k, y in enumerate((-0.09, 0.0, 0.09)):
        out.append(p.box((0.07, 0.06, 0.04), (0.23, y, 0.09), t.plastic(accent) if k else t.WHITE))
    return out


def plant(rng: Rng) -> list[Part]:
    """A potted plant bending towards the light (+x), its label stuck in front."""
    paint, accent = t.two_paints(rng)
    clay = (
        t.matte((0.72, 0.4, 0.27))
        if rng.random() < 0.4
        else t.plastic((1, 1, 1), t.pattern(rng, paint, accent, 8))
    )
    h, r = float(rng.uniform(0.36, 0.5)), float(rng.uniform(0.24, 0.3))
    green = t.pick(
        rng, ((0.2, 0.45, 0.16), (0.32, 0.55, 0.22), (0.14, 0.36, 0.24), (0.45, 0.55, 0.3))
    )
    leaf = Material((1, 1, 1), t.leaf(rng, green), 0.3, 0.4)
    out = [
        p.lathe(
            [
                (0, 0),
                (r * 0.72, 0),
                (r, h * 0.8),
                (r * 1.1, h * 0.8),
                (r * 1.1, h),
                (r * 0.95, h),
                (r * 0.9, h - 0.05),
            ],
            clay,
        ),
        p.lathe(
            [(r * 0.93, h - 0.05), (0, h - 0.03)],
            t.matte((1, 1, 1), t.carpet(rng, (0.25, 0.17, 0.12), 64)),
        ),
        p.box(
            (0.015, 0.16, 0.12),
            (r * 0.9, 0.08, h + 0.1),
            t.plastic((1, 1, 1), t.label(rng, t.NEUTRALS[0], accent, "FERN", (64, 48))),
        ),
        p.box((0.012, 0.03, 0.16), (r * 0.88, 0.08, h), t.WHITE),
    ]
    broad = float(rng.uniform(0.07, 0.2))
    for k in range(int(rng.integers(9, 16))):
        a = 2.4 * k + float(rng.uniform(-0.3, 0.3))
        long, rise = float(rng.uniform(0.3, 0.6)), float(rng.uniform(0.25, 0.85))
        s = np.linspace(0, 1, 6)
        reach = long * s * float(rng.uniform(0.5, 1.0))
        path = np.column_stack(
            [
                reach * np.cos(a) + 0.22 * s**2,
                reach * np.sin(a),
                h - 0.04 + rise * s - 0.35 * long * s**2.5,
            ]
        )
        width = broad * np.sin(np.pi * (0.08 + 0.88 * s)) + 0.008
        out.append(sheets.ribbon(path, width, leaf))
    bloom = t.plastic(t.pick(rng, t.PAINTS))
    if rng.random() < 0.5:
        out.append(
            p.tube([(0, 0, h), (0.1, 0, h + 0.4), (0.25, 0, h + 0.75)], 0.015, t.matte(green), 6)
        )
        for a in np.linspace(0, 2 * np.pi, 7)[:-1]:
            out.append(
                p.ellipsoid(
                    (0.03, 0.06, 0.06),
                    (0.29, 0.08 * float(np.cos(a)), h + 0.76 + 0.08 * float(np.sin(a))),
                    bloom,
                    10,
                )
            )
        out.append(
            p.ellipsoid((0.05, 0.05, 0.05), (0.3, 0, h + 0.76), t.plastic((0.9, 0.75, 0.2)), 10)
        )
    return out


def cake(rng: Rng) -> list[Part]:
    """A layer cake from which a slice in front has been cut; candles or cherries on top."""
    icing, filling = (
        t.pick(rng, ((0.95, 0.92, 0.86), (0.42, 0.24, 0.15), (0.94, 0.7, 0.76), (0.75, 0.87, 0.8))),
        t.pick(rng, t.PAINTS),
    )
    sponge = t.pick(rng, ((0.85, 0.68, 0.4), (0.36, 0.2, 0.13), (0.7, 0.3, 0.3)))
    r, h = 0.5, float(rng.uniform(0.32, 0.5))
    gap = float(rng.uniform(0.4, 0.65))
    inside = np.empty((64, 64, 3), dtype=np.uint8)
    inside[:] = t.carpet(rng, sponge, 64)
    for row in (20, 42):
        inside[row : row + 6] = t.as_bytes(filling)
    inside[:7] = t.as_bytes(icing)
    coat = t.plastic((1, 1, 1), t.icing(rng, icing, filling))
    circle = np.linspace(gap, 2 * np.pi - gap, 33)
    ring = [(r * float(np.cos(a)), r * float(np.sin(a))) for a in circle]
    plate = (
        t.plastic(t.pick(rng, t.NEUTRALS[:2])) if rng.random() < 0.6 else t.metal((0.8, 0.8, 0.8))
    )
    out = [
        p.lathe([(0, 0), (0.3, 0), (0.62, 0.035), (0.62, 0.05), (0, 0.03)], plate),
        p.extrude([*ring, (0.0, 0.0)], h, t.plastic(icing), "xy", (0, 0, 0.05 + h / 2)),
    ]
    out.append(sheets.wall(np.array(ring) * 1.004, 0.05, 0.05 + h, coat))
    for a in (gap, -gap):
        c, s = float(np.cos(a)), float(np.sin(a))
        out.append(
            sheets.wall(
                np.array([(0.0, 0.0), (r * c, r * s)]) + np.array([0.004, 0]),
                0.05,
                0.05 + h,
                t.matte((1, 1, 1), inside),
            )
        )
    top = 0.05 + h
    candles = rng.random() < 0.6
    for k, a in enumerate(np.linspace(gap + 0.3, 2 * np.pi - gap - 0.3, int(rng.integers(5, 9)))):
        at = (r * 0.74 * float(np.cos(a)), r * 0.74 * float(np.sin(a)))
        if candles:
            color = t.pick(rng, t.PAINTS)
            out.append(
                p.cylinder(
                    0.025,
                    0.24,
                    (*at, top + 0.12),
                    t.plastic((1, 1, 1), t.stripes(rng, color, t.NEUTRALS[0], across=True)),
                    "z",
                    10,
                )
            )
            out.append(
                p.ellipsoid(
                    (0.02, 0.02, 0.045),
                    (*at, top + 0.28),
                    Material((1, 0.75, 0.25), None, 0.1, 0.1, 0.8),
                    8,
                )
            )
        else:
            out.append(
                p.ellipsoid(
                    (0.07, 0.07, 0.06),
                    (*at, top + 0.04),
                    t.plastic(icing if k % 2 else filling),
                    12,
                )
            )
            out.append(
                p.ellipsoid(
                    (0.05, 0.05, 0.05),
                    (*at, top + 0.12),
                    Material((0.7, 0.06, 0.1), None, 0.8, 0.8),
                    12,
                )
            )
    return out


def radio(rng: Rng) -> list[Part]:
    """A portable radio: speaker, dial scale and knobs in front, handle and aerial on top."""
    paint, accent = t.two_paints(rng)
    shell = t.wooden(rng) if rng.random() < 0.4 else t.plastic(paint)
    w, h, d = (
        float(rng.uniform(0.95, 1.2)),
        float(rng.uniform(0.5, 0.68)),
        float(rng.uniform(0.26, 0.36)),
    )
    x = d / 2
    mesh = t.matte((1, 1, 1), t.dots(rng, t.shade(accent, 0.5), t.shade(accent, 1.3), 128, 12))
    scale = np.empty((32, 128, 3), dtype=np.uint8)
    scale[:] = (238, 226, 196)
    for k in range(6, 124, 6):
        cv2.line(scale, (k, 31), (k, 16 if k % 24 == 0 else 23), (60, 50, 40), 1)
    needle = int(rng.integers(20, 108))
    cv2.line(scale, (needle, 0), (needle, 31), (200, 40, 30), 3)
    r = h * 0.34
    out = [
        p.extrude(p.rounded(w, h, 0.08, (0, h / 2 + 0.03)), d, shell, "yz"),
        p.extrude(
            p.rounded(w * 0.94, h * 0.9, 0.06, (0, h / 2 + 0.03)),
            0.02,
            t.plastic(t.pick(rng, t.NEUTRALS)),
            "yz",
            (x, 0, 0),
        ),
        p.box(
            (0.02, w * 0.42, h * 0.24),
            (x + 0.008, w * 0.22, h * 0.74),
            Material((1, 1, 1), scale, 0.4, 0.6, 0.15),
        ),
        p.tube(
            [
                (0, -w * 0.36, h),
                (0, -w * 0.34, h + 0.17),
                (0, w * 0.34, h + 0.17),
                (0, w * 0.36, h),
            ],
            0.03,
            t.CHROME,
            8,
        ),
        p.tube(
            [
                (-x * 0.6, w * 0.42, h),
                (-x * 0.6, w * float(rng.uniform(0.1, 0.6)), h + float(rng.uniform(0.3, 0.55))),
            ],
            0.012,
            t.CHROME,
            6,
        ),
    ]
    circle = [
        (-w * 0.23 + r * float(np.cos(a)), h * 0.52 + r * float(np.sin(a)))
        for a in np.linspace(0, 2 * np.pi, 25)[:-1]
    ]
    out.append(p.cylinder(r * 1.1, 0.03, (x + 0.005, -w * 0.23, h * 0.52), t.CHROME, "x", 24))
    out.append(p.extrude(circle, 0.02, mesh, "yz", (x + 0.015, 0, 0)))
    for y in (w * 0.1, w * 0.22, w * 0.34):
        out.append(p.cylinder(0.05, 0.07, (x + 0.03, y, h * 0.34), t.plastic(accent), "x", 14))
    for y in (-w * 0.38, w * 0.38):
        out.append(p.box((d * 0.8, 0.08, 0.04), (0, y, 0.02), t.RUBBER))
    return out
