"""Things in a kitchen or a living room. Forward is +x: the side a person faces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neural_assets_core.data.families import parts as p
from neural_assets_core.data.families import textures as t
from neural_assets_core.data.families.parts import Material, Part

Rng = np.random.Generator


def _printed(rng: Rng, ground: p.Color, ink: p.Color, words: list[str]) -> Material:
    """A glaze that is plain, patterned or carries a motif in front (u = 0.5)."""
    kind = int(rng.integers(3))
    if kind == 0:
        return t.plastic((1, 1, 1), t.pattern(rng, ground, ink, 8))
    image = np.empty((96, 256, 3), dtype=np.uint8)
    image[:] = np.array([int(255 * c) for c in ground], dtype=np.uint8)
    motif = t.label(rng, ground, ink, str(rng.choice(words)), (72, 64))
    image[16:80, 92:164] = motif
    if kind == 2:
        image[:8] = image[-8:] = np.array([int(255 * c) for c in ink], dtype=np.uint8)
    return t.plastic((1, 1, 1), image)


def mug(rng: Rng) -> list[Part]:
    """A mug with a motif in front and the handle to its left (+y)."""
    ground, ink = t.two_paints(rng)
    glaze, trim = _printed(rng, ground, ink, ["HELLO", "TEA", "MOON", "HOME"]), t.plastic(ink)
    h, r = float(rng.uniform(0.85, 1.2)), 0.42
    base = r * float(rng.uniform(0.75, 1.0))
    inside = trim if rng.random() < 0.5 else t.plastic(t.shade(ground, 1.2))
    coffee = t.plastic((0.22, 0.12, 0.07))
    handle = p.arc((0, r * 0.93, h * 0.52), (0.28, h * 0.29), np.pi / 2, -np.pi / 2, "yz", 11)
    return [
        p.lathe([(base * 0.96, 0), (base, 0.03), ((base + r) / 2, h / 2), (r, h)], glaze),
        p.lathe([(0, 0.002), (base * 0.96, 0)], trim),
        p.lathe([(r, h), (r - 0.03, h + 0.015), (r - 0.055, h), (r - 0.07, h * 0.78)], inside),
        p.lathe([(r - 0.06, h * 0.8), (0, h * 0.8)], coffee),
        p.tube(handle, 0.065, trim if rng.random() < 0.6 else t.plastic(ground), 10, 0.8),
    ]


def teapot(rng: Rng) -> list[Part]:
    """A teapot with the spout in front, the handle behind and a lid."""
    ground, ink = t.two_paints(rng)
    glaze, trim = _printed(rng, ground, ink, ["TEA", "CHAI"]), t.plastic(ink)
    squat = float(rng.uniform(0.75, 1.05))
    angle = np.linspace(-1.25, 1.2, 11)
    belly = [
        (0.55 * float(np.cos(a)) ** 0.8, squat * (0.45 + 0.45 * float(np.sin(a)))) for a in angle
    ]
    low, high = belly[0][1], belly[-1][1]
    z = squat * 0.45
    spout = [(0.42, 0, z - 0.1), (0.62, 0, z), (0.76, 0, z + 0.2 * squat), (0.95, 0, high)]
    handle = p.arc((-0.46, 0, z), (0.36, 0.34 * squat), np.pi / 2, 3 * np.pi / 2, "xz", 11)
    out = [
        p.lathe(belly, glaze),
        p.lathe([(0, low - 0.03), (0.26, low - 0.03), (belly[0][0], low + 0.02)], trim),
        p.lathe([(belly[-1][0] + 0.03, high - 0.02), (0.2, high + 0.07), (0, high + 0.1)], trim),
        p.ellipsoid((0.075, 0.075, 0.075), (0, 0, high + 0.15), t.plastic(ground), 12),
        p.tube(spout, [0.17, 0.12, 0.08, 0.06], t.plastic(ground)),
        p.tube(handle, 0.055, trim),
    ]
    return out


def bottle(rng: Rng) -> list[Part]:
    """A spray bottle: label and nozzle in front, trigger below the nozzle."""
    liquid, ink = t.two_paints(rng)
    word = str(rng.choice(["CLEAN", "GLOSS", "PURE", "FRESH", "LEMON"]))
    paper = t.pick(rng, t.NEUTRALS[:1])
    skin = t.plastic(liquid)
    cap = t.plastic(ink)
    depth, width = float(rng.uniform(0.38, 0.5)), float(rng.uniform(0.5, 0.68))
    h = float(rng.uniform(0.85, 1.15))
    top = h + 0.32
    oval = np.array([0.5 * depth, 0.5 * width, 1.0])
    body = p.lathe(
        [
            (0, 0),
            (0.92, 0),
            (1.0, 0.05),
            (1.0, h * 0.72),
            (0.8, h * 0.9),
            (0.42, h),
            (0.35, h + 0.1),
        ],
        skin,
    )
    printed = p.lathe(
        [(1.015, h * 0.12), (1.015, h * 0.66)],
        t.matte((1, 1, 1), t.label(rng, paper, ink, word, (144, 96))),
    )
    # Only the front half carries the label: squash its angle range from 2 pi to 0.9 pi.
    angle = (printed.uv[:, 0] - 0.5) * 0.9 * np.pi
    x, y, z = printed.vertices.T
    reach = np.hypot(x, y)
    sticker = replace(
        printed,
        vertices=np.column_stack([reach * np.cos(angle), reach * np.sin(angle), z]),
        normals=np.column_stack([np.cos(angle), np.sin(angle), np.zeros(len(angle))]),
    )
    out = [part.warped(lambda v: v * oval) for part in (body, sticker)]
    out += [
        p.cylinder(0.13, 0.16, (0, 0, h + 0.12), cap),
        p.extrude(
            [
                (-0.2, top - 0.08),
                (-0.1, top - 0.14),
                (0.3, top - 0.1),
                (0.3, top + 0.06),
                (-0.12, top + 0.1),
            ],
            0.17,
            cap,
        ),
        p.cylinder(0.05, 0.08, (0.33, 0, top - 0.02), t.plastic(paper), "x", 12),
        p.extrude(
            [(0.14, top - 0.1), (0.22, top - 0.1), (0.27, top - 0.38), (0.22, top - 0.38)],
            0.09,
            t.plastic(t.shade(ink, 0.7)),
        ),
        p.cylinder(0.08, 0.2, (0, 0, top - 0.14), cap),
    ]
    return out


def chair(rng: Rng) -> list[Part]:
    """A chair; its back is at -x. Slats, a panel or a rounded back; sometimes a cushion."""
    frame = t.wooden(rng) if rng.random() < 0.6 else t.plastic(t.pick(rng, t.PAINTS))
    seat_z, w = float(rng.uniform(0.42, 0.52)), float(rng.uniform(0.44, 0.54))
    top = seat_z + float(rng.uniform(0.42, 0.6))
    leg = float(rng.uniform(0.04, 0.06))
    e = w / 2 - leg / 2
    seat = p.extrude(p.rounded(w, w, 0.06), 0.05, frame, "xy", (0, 0, seat_z))
    out = [seat]
    out += p.mirrored(
        [
            p.box((leg, leg, seat_z), (e, e, seat_z / 2), frame),
            p.box((leg, leg, top), (-e, e, top / 2), frame),
            p.box((2 * e, leg * 0.6, leg * 0.6), (0, e, seat_z * 0.35), frame),
        ]
    )
    kind = int(rng.integers(3))
    accent = t.pick(rng, t.PAINTS)
    if kind == 0:
        for z in np.linspace(seat_z + 0.15, top - 0.04, int(rng.integers(2, 5))):
            out.append(p.box((leg * 0.6, 2 * e, 0.07), (-e, 0, float(z)), frame))
    elif kind == 1:
        cloth = t.matte((1, 1, 1), t.pattern(rng, accent, t.shade(accent, 1.7), 6))
        out.append(
            p.extrude(
                p.rounded(2 * e, top - seat_z - 0.1, 0.08, (0, (top + seat_z) / 2 + 0.03)),
                leg * 0.8,
                cloth,
                "yz",
                (-e, 0, 0),
            )
        )
    else:
        for y in np.linspace(-e * 0.6, e * 0.6, 4):
            out.append(
                p.box((leg * 0.5, 0.03, top - seat_z), (-e, float(y), (top + seat_z) / 2), frame)
            )
        out.append(p.box((leg, w, 0.09), (-e, 0, top), frame))
    if rng.random() < 0.6:
        cloth = t.matte((1, 1, 1), t.fabric(rng, accent))
        out.append(
            p.extrude(p.rounded(w * 0.9, w * 0.9, 0.1), 0.05, cloth, "xy", (0.01, 0, seat_z + 0.05))
        )
    return out


def lamp(rng: Rng) -> list[Part]:
    """A desk lamp on a jointed arm, its shade reaching forward."""
    paint, accent = t.two_paints(rng)
    enamel, trim = t.plastic(paint), t.metal(t.pick(rng, t.NEUTRALS[:4]))
    elbow = np.array([-0.25, 0, float(rng.uniform(0.6, 0.75))])
    head = np.array([float(rng.uniform(0.2, 0.38)), 0, float(rng.uniform(0.95, 1.15))])
    tilt = float(rng.uniform(0.5, 0.9))
    r = float(rng.uniform(0.22, 0.3))
    shade = [
        p.lathe([(r, -0.34), (r * 0.9, -0.2), (r * 0.45, -0.02), (0.09, 0.06), (0, 0.06)], enamel),
        p.lathe([(r * 0.93, -0.335), (r * 0.4, -0.05), (0, 0)], t.matte((0.95, 0.93, 0.85))),
        p.ellipsoid(
            (0.09, 0.09, 0.11), (0, 0, -0.2), Material((1, 0.95, 0.75), None, 0.2, 0.2, 0.7), 12
        ),
    ]
    # The rim joins the outside and the inside of the shade.
    shade.append(p.lathe([(r * 0.93, -0.335), (r, -0.34)], enamel))
    out = p.moved(p.moved(shade, axis=(0, 1, 0), angle=-tilt), tuple(head))
    base = t.plastic(accent) if rng.random() < 0.5 else enamel
    out += [
        p.lathe([(0, 0), (0.3, 0), (0.3, 0.04), (0.26, 0.07), (0, 0.08)], base, (-0.1, 0, 0)),
        p.tube([(-0.1, 0, 0.06), tuple(elbow)], 0.03, trim),
        p.tube([tuple(elbow), tuple(head)], 0.03, trim),
        p.cylinder(0.06, 0.1, tuple(elbow), base, "y", 12),
        p.cylinder(0.05, 0.1, tuple(head), base, "y", 12),
        p.cylinder(0.035, 0.04, (0.1, 0, 0.08), t.plastic((0.8, 0.15, 0.12)), "z", 12),
    ]
    return out


def watering_can(rng: Rng) -> list[Part]:
    """A watering can: rose in front, handle over the top and behind."""
    paint, accent = t.two_paints(rng)
    skin = t.metal(t.pick(rng, t.NEUTRALS[:2])) if rng.random() < 0.3 else t.plastic(paint)
    trim = t.plastic(accent)
    h, r = float(rng.uniform(0.6, 0.8)), float(rng.uniform(0.34, 0.42))
    tip = np.array([1.0, 0, h * float(rng.uniform(0.95, 1.2))])
    handle = p.arc((-0.12, 0, h * 0.75), (r + 0.22, h * 0.62), 0.35, np.pi + 0.9, "xz", 14)
    rose = p.lathe([(0.04, -0.14), (0.13, 0), (0.13, 0.03), (0, 0.045)], trim)
    direction = tip - np.array([r * 0.8, 0, h * 0.2])
    lean = float(np.arctan2(direction[0], direction[2]))
    belt = (
        t.plastic((1, 1, 1), t.dots(rng, accent, t.shade(accent, 1.8), count=8))
        if rng.random() < 0.5
        else trim
    )
    return [
        p.lathe([(0, 0), (r, 0), (r * 0.97, h * 0.6), (r * 0.9, h * 0.9), (r * 0.8, h)], skin),
        p.lathe([(r * 1.02, h * 0.18), (r * 1.01, h * 0.42)], belt),
        p.extrude(
            [
                (r * 0.8 * float(np.cos(a)), r * 0.8 * float(np.sin(a)))
                for a in np.linspace(np.pi / 2, 3 * np.pi / 2, 9)
            ],
            0.03,
            trim,
            "xy",
            (0, 0, h),
        ),
        p.lathe([(r * 0.75, h * 0.8), (0, h * 0.8)], t.plastic((0.25, 0.40, 0.50))),
        p.tube([(r * 0.8, 0, h * 0.2), tuple(tip)], [0.10, 0.05], skin),
        p.tube(handle, 0.04, trim, 10),
        rose.moved(axis=(0, 1, 0), angle=lean).moved(tuple(tip)),
    ]


def toaster(rng: Rng) -> list[Part]:
    """A toaster with slices on top, lever and dial in front."""
    paint, accent = t.two_paints(rng)
    shell = t.metal(t.pick(rng, t.NEUTRALS[:2])) if rng.random() < 0.4 else t.plastic(paint)
    length, w, h = (
        float(rng.uniform(0.9, 1.15)),
        float(rng.uniform(0.48, 0.6)),
        float(rng.uniform(0.58, 0.72)),
    )
    body = p.extrude(p.rounded(w, h, 0.16, (0, h / 2 + 0.05)), length, shell, "yz")
    crust, slot = t.matte((0.72, 0.48, 0.24)), t.BLACK
    out = [
        body,
        p.extrude(
            p.rounded(w * 0.94, h * 0.9, 0.14, (0, h / 2 + 0.05)),
            0.05,
            t.BLACK,
            "yz",
            (length / 2, 0, 0),
        ),
    ]
    for y in (-w * 0.2, w * 0.2):
        out.append(p.box((length * 0.76, 0.10, 0.02), (0, y, h + 0.05), slot))
        if rng.random() < 0.7:
            out.append(
                p.extrude(
                    p.rounded(length * 0.55, 0.42, 0.1, (0, h + float(rng.uniform(0, 0.08)))),
                    0.07,
                    crust,
                    "xz",
                    (0, y, 0),
                )
            )
    out += [
        p.box((0.09, 0.16, 0.06), (length / 2 + 0.06, 0, h * 0.7), t.plastic(accent)),
        p.cylinder(0.07, 0.06, (length / 2 + 0.05, w * 0.22, h * 0.32), t.CHROME, "x", 14),
        p.cylinder(
            0.03,
            0.05,
            (length / 2 + 0.05, -w * 0.22, h * 0.32),
            t.plastic((0.8, 0.15, 0.12)),
            "x",
            10,
        ),
    ]
    for x in (-length * 0.38, length * 0.38):
        out.append(p.box((0.10, w * 0.8, 0.06), (x, 0, 0.03), t.RUBBER))
    return out
