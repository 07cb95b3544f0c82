"""Things from a desk, a wardrobe or a playroom. Forward is +x."""

from __future__ import annotations

import cv2
import numpy as np

from neural_assets_core.data.families import parts as p
from neural_assets_core.data.families import textures as t
from neural_assets_core.data.families.parts import Material, Part

Rng = np.random.Generator
WORDS = ["ATLAS", "STORIES", "BIRDS", "OCEAN", "NIGHT", "GARDEN", "POEMS", "STARS"]


def laptop(rng: Rng) -> list[Part]:
    """An open laptop whose screen faces +x."""
    shell = (
        t.metal(t.pick(rng, t.NEUTRALS[:4]))
        if rng.random() < 0.7
        else t.plastic(t.pick(rng, t.PAINTS))
    )
    w, d = float(rng.uniform(0.95, 1.1)), float(rng.uniform(0.64, 0.74))
    lean = float(rng.uniform(0.1, 0.5))
    keys = t.keyboard(t.pick(rng, t.NEUTRALS[3:4]), (0.08, 0.08, 0.09))
    lit = Material((1, 1, 1), t.screen(rng), 0.3, 0.5, 0.35)
    lid = [
        p.extrude(p.rounded(w, d, 0.05, (0, d / 2)), 0.035, shell, "yz"),
        p.box((0.012, w * 0.93, d * 0.88), (0.016, 0, d * 0.52), t.BLACK),
        p.box((0.01, w * 0.87, d * 0.80), (0.021, 0, d * 0.53), lit),
        p.box((0.01, w * 0.12, w * 0.12), (-0.016, 0, d * 0.5), t.plastic(t.pick(rng, t.PAINTS))),
    ]
    out = p.moved(p.moved(lid, axis=(0, 1, 0), angle=-lean), (-d / 2, 0, 0.05))
    out += [
        p.extrude(p.rounded(d, w, 0.05), 0.05, shell, "xy", (0, 0, 0.025)),
        # The long rows of keys run along y.
        p.box((d * 0.5, w * 0.9, 0.012), (-d * 0.17, 0, 0.05), t.matte((1, 1, 1), keys)),
        p.box((d * 0.28, w * 0.3, 0.01), (d * 0.28, 0, 0.05), t.metal((0.4, 0.41, 0.43))),
        p.cylinder(0.03, w * 0.6, (-d / 2, 0, 0.05), t.BLACK, "y", 10),
    ]
    return out


def book(rng: Rng) -> list[Part]:
    """One to three lying books; titles read from +x, spines at +x."""
    out: list[Part] = []
    z = 0.0
    for k in range(int(rng.integers(1, 4))):
        ground, ink = t.two_paints(rng)
        w, d, h = (
            float(rng.uniform(0.9, 1.15)),
            float(rng.uniform(0.65, 0.8)),
            float(rng.uniform(0.13, 0.24)),
        )
        if k:
            w, d = w * 0.88, d * 0.88
        cover = t.plastic(ground)
        word = str(rng.choice(WORDS))
        front = t.plastic((1, 1, 1), t.label(rng, ground, ink, word, (144, 104)))
        paper = t.matte(
            (1, 1, 1), t.stripes(rng, (0.93, 0.90, 0.82), (0.82, 0.79, 0.7), count=10, across=True)
        )
        spine = t.plastic((1, 1, 1), t.label(rng, ground, ink, word, (192, 40)))
        volume = [
            p.box((d, w, 0.025), (0, 0, z + 0.0125), cover),
            p.box((d, w, 0.02), (0, 0, z + h - 0.015), cover),
            p.box((d * 0.98, w * 0.98, 0.012), (0, 0, z + h - 0.003), front),
            p.box((d - 0.06, w - 0.05, h - 0.04), (0, 0, z + h / 2), paper),
            p.box((0.03, w, h), (d / 2, 0, z + h / 2), cover),
            p.box((0.012, w * 0.9, h * 0.8), (d / 2 + 0.014, 0, z + h / 2), spine),
        ]
        out += p.moved(volume, angle=float(rng.uniform(-0.35, 0.35)) if k else 0.0)
        z += h + 0.003
    return out


def shoe(rng: Rng) -> list[Part]:
    """A trainer, toe at +x, with sole, laces and a side stripe."""
    paint, accent = t.two_paints(rng)
    upper = t.matte((1, 1, 1), t.fabric(rng, paint)) if rng.random() < 0.6 else t.plastic(paint)
    sole, trim = t.matte(t.pick(rng, t.NEUTRALS[:1])), t.plastic(accent)
    high = float(rng.uniform(0.62, 0.95))

    def foot(v: p.Float) -> p.Float:
        """Narrower at heel and toe, tighter towards the top."""
        x, z = v[:, 0], v[:, 2]
        waist = 0.86 + 0.16 * np.cos((x - 0.45) * 2.2) - 0.10 * np.clip((x - 0.75) * 3, 0, 1)
        return np.column_stack([x, v[:, 1] * waist * (1 - 0.42 * np.clip(z - 0.15, 0, None)), z])

    side = [
        (-0.98, 0.14),
        (0.9, 0.14),
        (1.02, 0.22),
        (0.98, 0.33),
        (0.80, 0.42),
        (0.45, 0.47),
        (0.10, 0.66),
        (-0.18, high),
        (-0.35, high - 0.03),
        (-0.92, high + 0.02),
        (-1.0, high - 0.04),
    ]
    bottom = [
        (-1.02, 0.0),
        (0.75, 0.0),
        (0.98, 0.06),
        (1.08, 0.2),
        (1.0, 0.2),
        (-0.95, 0.17),
        (-1.05, 0.12),
    ]
    out = [
        p.extrude(side, 0.62, upper).warped(foot),
        p.extrude(bottom, 0.70, sole).warped(foot),
        p.extrude(
            [(0.62, 0.2), (1.03, 0.2), (1.04, 0.26), (0.99, 0.35), (0.83, 0.43), (0.62, 0.455)],
            0.635,
            trim,
        ).warped(foot),
        p.extrude([(-0.45, 0.2), (-0.2, 0.2), (0.2, 0.55), (0.06, 0.62)], 0.64, trim).warped(foot),
        p.extrude([(-1.03, 0.2), (-0.82, 0.2), (-0.86, high), (-1.02, high)], 0.60, trim).warped(
            foot
        ),
        p.ellipsoid((0.30, 0.17, 0.05), (-0.58, 0, high - 0.035), t.BLACK, 14),
    ]
    for k in range(4):
        s = k / 3
        out.append(
            p.box(
                (0.05, 0.36, 0.03),
                (0.42 - 0.42 * s, 0, 0.49 + (high - 0.62) * s * 0.7 + 0.15 * s),
                t.WHITE,
            )
        )
    return out


def camera(rng: Rng) -> list[Part]:
    """A photo camera, lens towards +x."""
    leather = t.matte(
        t.pick(rng, ((0.16, 0.15, 0.15), (0.35, 0.22, 0.14), (0.5, 0.16, 0.14), (0.15, 0.28, 0.30)))
    )
    shell = t.metal(t.pick(rng, t.NEUTRALS[1:4]))
    w, h, d = float(rng.uniform(1.1, 1.3)), float(rng.uniform(0.66, 0.8)), 0.36
    r = float(rng.uniform(0.22, 0.29))
    reach = float(rng.uniform(0.25, 0.5))
    z = h * 0.46
    x = d / 2 + reach
    out = [
        p.extrude(p.rounded(w, h * 0.72, 0.06, (0, h * 0.36)), d, leather, "yz"),
        p.extrude(p.rounded(w, h * 0.3, 0.05, (0, h * 0.85)), d * 0.98, shell, "yz"),
        p.extrude(
            [(-0.22, h), (0.22, h), (0.14, h + 0.17), (-0.14, h + 0.17)], d * 0.8, shell, "yz"
        ),
        p.cylinder(r * 1.1, 0.08, (d / 2 + 0.03, 0, z), shell, "x"),
        p.cylinder(r, reach, (d / 2 + reach / 2, 0, z), t.BLACK, "x"),
        p.cylinder(r * 1.04, 0.07, (d / 2 + reach * 0.55, 0, z), shell, "x"),
        p.ellipsoid(
            (0.06, r * 0.78, r * 0.78),
            (x - 0.02, 0, z),
            Material((0.18, 0.24, 0.42), None, 0.9, 0.9),
            16,
        ),
        p.cylinder(0.08, 0.09, (0, w * 0.36, h + 0.04), t.BLACK, "z", 16),
        p.cylinder(0.05, 0.07, (0, -w * 0.38, h + 0.03), t.plastic((0.78, 0.16, 0.13)), "z", 12),
        p.box((0.02, 0.16, 0.09), (d / 2, -w * 0.33, h * 0.86), t.GLASS),
        p.box(
            (0.02, w * 0.5, h * 0.42),
            (-d / 2, 0, h * 0.42),
            Material((1, 1, 1), t.screen(rng), 0.4, 0.5, 0.2),
        ),
    ]
    return out


def duck(rng: Rng) -> list[Part]:
    """A bath duck with beak, tail and wings, sometimes wearing a hat or scarf."""
    color = t.pick(
        rng,
        (
            (0.96, 0.78, 0.18),
            (0.96, 0.78, 0.18),
            (0.93, 0.90, 0.83),
            (0.55, 0.75, 0.88),
            (0.9, 0.5, 0.58),
        ),
    )
    skin, wing = t.plastic(color), t.plastic(t.shade(color, 0.86))
    accent = t.plastic(t.pick(rng, t.PAINTS))
    beak = t.plastic((0.93, 0.48, 0.13))
    fat = float(rng.uniform(0.46, 0.58))
    r = float(rng.uniform(0.31, 0.38))
    hz = 0.66 + r
    out = [
        p.ellipsoid((0.75, fat, 0.45), (0, 0, 0.43), skin, 24),
        p.tube(
            [(-0.5, 0, 0.5), (-0.78, 0, 0.68), (-0.92, 0, 0.9)],
            [0.26, 0.16, 0.03],
            skin,
            flatten=1.3,
        ),
        p.ellipsoid((r, r * 0.95, r), (0.42, 0, hz), skin),
        p.ellipsoid((0.2, 0.16, 0.05), (0.42 + r, 0, hz - 0.02), beak, 14),
        p.ellipsoid((0.15, 0.13, 0.05), (0.40 + r, 0, hz - 0.09), t.plastic((0.82, 0.36, 0.1)), 12),
    ]
    out += p.mirrored(
        [
            p.ellipsoid((0.38, 0.09, 0.22), (-0.12, fat * 0.93, 0.52), wing, 16),
            p.ellipsoid((0.055, 0.05, 0.07), (0.42 + r * 0.78, r * 0.52, hz + 0.1), t.BLACK, 10),
        ]
    )
    kind = int(rng.integers(3))
    if kind == 0:
        out += [
            p.lathe(
                [
                    (0, 0),
                    (r * 1.05, 0),
                    (r * 1.05, 0.05),
                    (r * 0.65, 0.06),
                    (r * 0.6, 0.3),
                    (0, 0.3),
                ],
                accent,
                (0.38, 0, hz + r * 0.72),
            )
        ]
    elif kind == 1:
        out.append(
            p.lathe(
                [(r * 0.7, -0.07), (r * 0.95, -0.05), (r * 0.95, 0.05), (r * 0.7, 0.07)],
                accent,
                (0.36, 0, 0.76),
            )
        )
    return out


def robot(rng: Rng) -> list[Part]:
    """A toy robot facing +x: eyes, chest panel, arms (one may be raised)."""
    paint, accent = t.two_paints(rng)
    tin, trim = t.metal(paint), t.plastic(accent)
    steel = t.metal((0.55, 0.56, 0.58))
    w, h = float(rng.uniform(0.55, 0.75)), float(rng.uniform(0.55, 0.7))
    z = 0.42
    top = z + h
    panel = np.full((48, 64, 3), 60, dtype=np.uint8)
    panel[:] = [int(255 * c) for c in t.pick(rng, t.NEUTRALS[:2])]
    for k in range(6):
        color = [int(255 * c) for c in t.pick(rng, t.PAINTS)]
        panel[8 + 20 * (k // 3) : 20 + 20 * (k // 3), 8 + 18 * (k % 3) : 20 + 18 * (k % 3)] = color
    face = float(rng.uniform(0.4, 0.52))
    out = [
        p.extrude(p.rounded(w, h, 0.08, (0, z + h / 2)), 0.42, tin, "yz"),
        p.box((0.03, w * 0.66, h * 0.5), (0.21, 0, z + h * 0.58), t.plastic((1, 1, 1), panel)),
        p.cylinder(0.1, 0.1, (0, 0, top + 0.04), steel, "z", 12),
        p.extrude(
            p.rounded(face * 1.15, face * 0.85, 0.08, (0, top + 0.08 + face * 0.42)),
            0.38,
            trim,
            "yz",
        ),
        p.box((0.02, face * 0.5, 0.05), (0.195, 0, top + 0.2), t.BLACK),
        p.tube([(0, 0, top + face * 0.9), (0, 0, top + face * 0.9 + 0.2)], 0.02, steel),
        p.ellipsoid(
            (0.05, 0.05, 0.05), (0, 0, top + face * 0.9 + 0.24), t.plastic((0.85, 0.2, 0.15)), 10
        ),
    ]
    eye = Material((0.98, 0.95, 0.6), None, 0.5, 0.5, 0.4)
    out += p.mirrored(
        [
            p.cylinder(0.07, 0.04, (0.20, face * 0.25, top + 0.1 + face * 0.55), eye, "x", 14),
            p.cylinder(0.03, 0.06, (0.205, face * 0.25, top + 0.1 + face * 0.55), t.BLACK, "x", 10),
            p.box((0.2, 0.17, 0.3), (0, w * 0.27, 0.27), steel),
            p.box((0.42, 0.24, 0.14), (0.06, w * 0.27, 0.07), trim),
        ]
    )
    for side in (-1.0, 1.0):
        y = side * (w / 2 + 0.09)
        lift = rng.random() < 0.3
        hand = (0.18, y, top + 0.25) if lift else (0.22, y, z + 0.08)
        out.append(
            p.tube([(0, y, top - 0.12), (0.03, y, (top + hand[2]) / 2 - 0.05), hand], 0.07, steel)
        )
        out.append(p.ellipsoid((0.10, 0.09, 0.10), hand, trim, 12))
        out.append(
            p.ellipsoid((0.11, 0.11, 0.11), (0, side * (w / 2 + 0.04), top - 0.12), trim, 12)
        )
    return out


def birdhouse(rng: Rng) -> list[Part]:
    """A small house: door or hole and perch in front, pitched roof, chimney to one side."""
    paint, accent = t.two_paints(rng)
    wall = t.matte((1, 1, 1), t.stripes(rng, paint, t.shade(paint, 0.9), count=7, across=True))
    if rng.random() < 0.4:
        wall = t.wooden(rng)
    roof = t.matte((1, 1, 1), t.bricks(rng, accent, 64))
    w, d, h = (
        float(rng.uniform(0.7, 0.95)),
        float(rng.uniform(0.65, 1.0)),
        float(rng.uniform(0.55, 0.8)),
    )
    ridge = h + float(rng.uniform(0.32, 0.5))
    f = d / 2
    out = [p.extrude([(-w / 2, 0), (w / 2, 0), (w / 2, h), (0, ridge), (-w / 2, h)], d, wall, "yz")]
    slope = float(np.arctan2(ridge - h, w / 2))
    reach = float(np.hypot(ridge - h, w / 2)) + 0.14
    for side in (-1.0, 1.0):
        slab = p.box((d + 0.2, reach, 0.06), (0, side * reach / 2, 0), roof)
        out.append(slab.moved(axis=(1, 0, 0), angle=-side * slope).moved((0, 0, ridge + 0.03)))
    trim = t.plastic(t.pick(rng, t.NEUTRALS[:1]))
    if rng.random() < 0.5:
        out += [
            p.cylinder(0.16, 0.03, (f, 0, h * 0.72), trim, "x", 18),
            p.cylinder(0.12, 0.05, (f, 0, h * 0.72), t.BLACK, "x", 18),
            p.cylinder(0.03, 0.25, (f + 0.1, 0, h * 0.4), t.wooden(rng), "x", 10),
        ]
    else:
        door = t.plastic(accent)
        out.append(p.box((0.04, w * 0.26, h * 0.62), (f, -w * 0.2, h * 0.31), door))
        for z in (h * 0.55,):
            out.append(p.box((0.03, w * 0.3, h * 0.3), (f, w * 0.22, z), trim))
            out.append(p.box((0.045, w * 0.24, h * 0.24), (f, w * 0.22, z), t.GLASS))
    out += p.mirrored([p.box((d * 0.3, 0.03, h * 0.3), (0, w / 2, h * 0.55), t.GLASS)])
    out.append(
        p.box(
            (0.14, 0.14, 0.4),
            (-f * 0.4, w * 0.24, ridge - 0.02),
            t.matte((1, 1, 1), t.bricks(rng, (0.6, 0.3, 0.24), 64)),
        )
    )
    out.append(p.box((d + 0.1, w + 0.1, 0.05), (0, 0, 0.025), t.wooden(rng)))
    return out


def monitor(rng: Rng) -> list[Part]:
    """A desk monitor on a stand, or an old television with aerial; the picture faces +x."""
    if rng.random() < 0.6:
        w, h = float(rng.uniform(1.15, 1.4)), float(rng.uniform(0.66, 0.8))
        z = 0.32
        frame = t.plastic(t.pick(rng, t.NEUTRALS))
        return [
            p.extrude(p.rounded(w, h, 0.03, (0, z + h / 2)), 0.07, frame, "yz"),
            p.box(
                (0.02, w * 0.94, h * 0.88),
                (0.03, 0, z + h * 0.52),
                Material((1, 1, 1), t.screen(rng), 0.3, 0.5, 0.35),
            ),
            p.box((0.12, w * 0.5, h * 0.5), (-0.08, 0, z + h * 0.5), frame),
            p.box(
                (0.06, 0.14, z + h * 0.3), (-0.13, 0, (z + h * 0.3) / 2), t.metal((0.6, 0.6, 0.62))
            ),
            p.extrude(
                p.rounded(0.42, 0.56, 0.1), 0.04, t.metal((0.6, 0.6, 0.62)), "xy", (-0.05, 0, 0.02)
            ),
        ]
    case = t.wooden(rng) if rng.random() < 0.5 else t.plastic(t.pick(rng, t.PAINTS))
    w, h, d = float(rng.uniform(1.0, 1.2)), float(rng.uniform(0.72, 0.85)), 0.6
    z = 0.12
    x = d / 2
    out = [
        p.extrude(p.rounded(w, h, 0.07, (0, z + h / 2)), d, case, "yz"),
        p.extrude(
            p.rounded(w * 0.68, h * 0.8, 0.1, (-w * 0.11, z + h / 2)),
            0.03,
            t.BLACK,
            "yz",
            (x, 0, 0),
        ),
        p.extrude(
            p.rounded(w * 0.62, h * 0.7, 0.1, (-w * 0.11, z + h / 2)),
            0.05,
            Material((1, 1, 1), t.screen(rng), 0.4, 0.6, 0.35),
            "yz",
            (x, 0, 0),
        ),
        p.box((0.03, w * 0.16, h * 0.3), (x, w * 0.36, z + h * 0.28), t.matte((0.25, 0.22, 0.2))),
        p.cylinder(0.06, 0.06, (x + 0.02, w * 0.36, z + h * 0.8), t.CHROME, "x", 12),
        p.cylinder(0.06, 0.06, (x + 0.02, w * 0.36, z + h * 0.6), t.CHROME, "x", 12),
    ]
    for y in (-0.32, 0.32):
        out.append(p.tube([(-0.05, y * 0.15, z + h), (-0.1, y, z + h + 0.4)], 0.014, t.CHROME, 8))
        out += [
            p.cylinder(0.03, z + 0.02, (s * d * 0.35, y, z / 2), t.BLACK, "z", 10) for s in (-1, 1)
        ]
    return out


def drum(rng: Rng) -> list[Part]:
    """A toy drum with a badge in front and two sticks lying on the skin, tips at +x."""
    paint, accent = t.two_paints(rng)
    r, h = 0.5, float(rng.uniform(0.5, 0.8))
    image = np.empty((64, 256, 3), dtype=np.uint8)
    image[:] = [int(255 * c) for c in paint]
    zigzag = np.array(
        [[x, 8 if k % 2 else 56] for k, x in enumerate(range(0, 257, 16))], dtype=np.int32
    )
    ink = tuple(int(255 * c) for c in t.shade(accent, 1.3))
    cv2.polylines(image, [zigzag], False, ink, 3, cv2.LINE_AA)
    hoop, skin = t.plastic(accent), t.matte((0.94, 0.92, 0.86))
    stick = t.wooden(rng)
    out = [
        p.lathe([(r, 0.04), (r, h - 0.04)], t.plastic((1, 1, 1), image), slices=28),
        p.lathe([(0, 0.01), (r + 0.03, 0), (r + 0.04, 0.09), (r, 0.1)], hoop, slices=28),
        p.lathe(
            [
                (r, h - 0.1),
                (r + 0.04, h - 0.09),
                (r + 0.03, h + 0.02),
                (r - 0.02, h + 0.02),
                (r - 0.02, h),
            ],
            hoop,
            slices=28,
        ),
        p.lathe([(r - 0.01, h), (0, h)], skin, slices=28),
        p.box(
            (0.06, 0.34, 0.26),
            (r, 0, h / 2),
            t.plastic((1, 1, 1), t.label(rng, t.NEUTRALS[0], paint, "BAND", (64, 48))),
        ),
    ]
    for y, turn in ((-0.1, 0.25), (0.12, -0.2)):
        group = [
            p.tube([(-0.5, 0, 0), (0.45, 0, 0)], [0.035, 0.025], stick, 10),
            p.ellipsoid((0.07, 0.055, 0.055), (0.48, 0, 0), t.plastic((0.8, 0.18, 0.14)), 10),
        ]
        out += p.moved(group, (0.05, y, h + 0.08), angle=turn)
    strap = p.arc((0, 0, h), (r * 0.98, 0.34), 0.0, np.pi, "yz", 13)
    if rng.random() < 0.5:
        out.append(p.tube(strap - np.array([0.12, 0, 0]), 0.03, t.matte(t.pick(rng, t.PAINTS)), 8))
    return out
