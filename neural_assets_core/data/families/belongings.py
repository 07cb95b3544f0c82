"""Things that people carry, play or win. Forward is +x."""

from __future__ import annotations

import numpy as np

from neural_assets_core.data.families import parts as p
from neural_assets_core.data.families import textures as t
from neural_assets_core.data.families.parts import Part

Rng = np.random.Generator


def suitcase(rng: Rng) -> list[Part]:
    """A standing suitcase: locks and stickers in front, handle on top, wheels below."""
    paint, accent = t.two_paints(rng)
    ridged = rng.random() < 0.5
    shell = (
        t.plastic((1, 1, 1), t.stripes(rng, paint, t.shade(paint, 0.82), count=10))
        if ridged
        else t.matte((1, 1, 1), t.fabric(rng, paint))
    )
    trim = t.metal((0.6, 0.6, 0.62)) if ridged else t.matte(t.shade(paint, 0.5))
    w, h, d = (
        float(rng.uniform(0.6, 0.95)),
        float(rng.uniform(0.7, 1.0)),
        float(rng.uniform(0.26, 0.36)),
    )
    z = 0.08 + h / 2
    out = [
        p.extrude(p.rounded(w, h, 0.1, (0, z)), d, shell, "yz"),
        p.extrude(p.rounded(w * 1.01, h * 1.01, 0.1, (0, z)), 0.03, trim, "yz"),
        p.tube(
            [(0, -0.14, 0.08 + h), (0, -0.12, 0.16 + h), (0, 0.12, 0.16 + h), (0, 0.14, 0.08 + h)],
            0.03,
            t.BLACK,
            8,
        ),
    ]
    for y in (-w * 0.3, w * 0.3):
        out.append(p.box((0.1, 0.1, 0.05), (d / 2 - 0.03, y, z + h * 0.42), t.CHROME))
        if not ridged:
            strap = t.matte((1, 1, 1), t.fabric(rng, (0.45, 0.28, 0.16)))
            out.append(
                p.extrude(
                    p.rounded(d + 0.02, h * 1.015, 0.06, (0, z)), 0.06, strap, "xz", (0, y, 0)
                )
            )
            out.append(p.box((0.03, 0.1, 0.08), (d / 2 + 0.01, y, z + h * 0.2), t.GOLD))
    for k in range(int(rng.integers(1, 4))):
        word = str(rng.choice(["ROMA", "OSLO", "LIMA", "PERU", "GOA"]))
        ink, ground = t.two_paints(rng)
        sticker = p.box(
            (0.012, 0.22, 0.16),
            (0, 0, 0),
            t.plastic((1, 1, 1), t.label(rng, ground, ink, word, (96, 64))),
        )
        turned = sticker.moved(axis=(1, 0, 0), angle=float(rng.uniform(-0.5, 0.5)))
        out.append(
            turned.moved((d / 2 + 0.004, (k - 1) * w * 0.25, z + float(rng.uniform(-0.3, 0.1)) * h))
        )
    if rng.random() < 0.5:
        rod = [p.box((0.03, 0.03, 0.4), (-d * 0.35, 0.15, 0.2 + h), t.CHROME)]
        out += [*p.mirrored(rod), p.box((0.06, 0.36, 0.06), (-d * 0.35, 0, 0.4 + h), t.BLACK)]
    tag = t.label(rng, t.NEUTRALS[0], accent, "TAG", (48, 64))
    out.append(p.box((0.012, 0.1, 0.16), (d / 2, 0.06, h * 0.98), t.plastic((1, 1, 1), tag)))
    for x in (-d * 0.36, d * 0.36):
        out += p.mirrored([p.cylinder(0.045, 0.05, (x, w * 0.4, 0.045), t.RUBBER, "y", 14)])
    return out


def guitar(rng: Rng) -> list[Part]:
    """A guitar leaning on a small stand; strings face +x, cutaway on its left (+y)."""
    top, accent = t.pick(rng, t.WOODS), t.pick(rng, t.PAINTS)
    electric = rng.random() < 0.4
    front = (
        p.Material((1, 1, 1), t.wood(rng, top, 128, 9), 0.5, 0.6)
        if not electric
        else t.glossy(accent)
    )
    edge = t.wooden(rng, t.shade(top, 0.5))
    waist = float(rng.uniform(0.16, 0.2))
    curve = [
        (0.0, 0.0),
        (0.2, 0.02),
        (0.29, 0.12),
        (0.29, 0.24),
        (0.22, 0.34),
        (waist, 0.42),
        (0.2, 0.52),
        (0.23, 0.62),
        (0.18, 0.72),
        (0.05, 0.76),
    ]
    left = [(-y, z) for y, z in reversed(curve)]
    right = (
        [(y, z) for y, z in curve]
        if not electric
        else [*curve[:6], (0.18, 0.5), (0.24, 0.66), (0.2, 0.8), (0.12, 0.7), (0.05, 0.66)]
    )
    body = [*right, *left[:-1]]
    d = 0.06 if electric else 0.16
    head = float(rng.uniform(1.28, 1.45))
    group = [
        p.extrude(body, d, edge, "yz"),
        p.extrude(
            [(0.94 * y, 0.02 + 0.95 * z) for y, z in body], 0.012, front, "yz", (d / 2, 0, 0)
        ),
        p.box(
            (0.05, 0.075, head - 0.6),
            (d / 2, 0, (head + 0.6) / 2),
            t.wooden(rng, (0.25, 0.16, 0.1)),
        ),
        p.extrude(
            [(-0.05, head - 0.02), (0.05, head - 0.02), (0.075, head + 0.2), (-0.06, head + 0.22)],
            0.04,
            edge,
            "yz",
            (d / 2 - 0.01, 0, 0),
        ),
        p.box((0.03, 0.2, 0.04), (d / 2 + 0.01, 0, 0.17), t.BLACK),
    ]
    if electric:
        for z in (0.28, 0.42):
            group.append(p.box((0.03, 0.16, 0.06), (d / 2 + 0.005, 0, z), t.BLACK))
        group.append(
            p.extrude(
                [(0.03, 0.1), (0.24, 0.12), (0.22, 0.3), (0.08, 0.5), (0.03, 0.5)],
                0.012,
                t.WHITE,
                "yz",
                (d / 2 + 0.003, 0, 0),
            )
        )
    else:
        group.append(p.cylinder(0.085, 0.014, (d / 2, 0, 0.44), t.BLACK, "x", 22))
    for y in (-0.025, -0.008, 0.008, 0.025):
        group.append(
            p.box((0.004, 0.005, head - 0.17), (d / 2 + 0.032, y, (head + 0.17) / 2), t.CHROME)
        )
    for side in (-1.0, 1.0):
        for z in (0.05, 0.11, 0.17):
            group.append(
                p.cylinder(0.014, 0.05, (d / 2 - 0.01, side * 0.085, head + z), t.CHROME, "y", 8)
            )
    out = p.moved(p.moved(group, axis=(0, 1, 0), angle=-0.14), (0, 0, 0.1))
    stand = t.metal((0.2, 0.2, 0.22))
    rail = [p.tube([(0.2, 0.16, 0.02), (-0.02, 0.1, 0.1), (-0.32, 0.14, 0.02)], 0.02, stand, 8)]
    out += [*p.mirrored(rail), p.tube([(-0.02, -0.1, 0.1), (-0.02, 0.1, 0.1)], 0.02, stand, 8)]
    return out


def hair_dryer(rng: Rng) -> list[Part]:
    """A hair dryer standing on its handle: nozzle in front, grille behind, cable at the foot."""
    paint, accent = t.two_paints(rng)
    skin, trim = t.glossy(paint), t.plastic(accent)
    r, z = float(rng.uniform(0.2, 0.26)), float(rng.uniform(0.62, 0.8))
    barrel = p.lathe(
        [(0, -0.34), (r * 0.8, -0.34), (r, -0.22), (r, 0.06), (r * 0.72, 0.4), (r * 0.6, 0.44)],
        skin,
    )
    flat = p.lathe(
        [(r * 0.62, 0.38), (r * 0.5, 0.5), (r * 0.62, 0.64), (r * 0.55, 0.64), (0, 0.55)], t.BLACK
    )
    nozzle = flat.warped(
        lambda v: (
            v
            * np.column_stack(
                [np.ones(len(v)), 1 + np.clip((v[:, 2] - 0.45) * 2.2, 0, 0.5), np.ones(len(v))]
            )
        )
    )
    out = p.moved([barrel, nozzle], (0, 0, z), (0, 1, 0), np.pi / 2)
    out += [
        p.cylinder(
            r * 0.72,
            0.04,
            (-0.34, 0, z),
            t.matte((1, 1, 1), t.dots(rng, (0.15, 0.15, 0.16), (0.5, 0.5, 0.5), count=8)),
            "x",
            20,
        ),
        p.lathe([(r * 1.01, -0.04), (r * 1.03, 0.0), (r * 1.01, 0.04)], trim).moved(
            (-0.12, 0, z), (0, 1, 0), np.pi / 2
        ),
        p.tube(
            [(-0.05, 0, z - r * 0.7), (-0.02, 0, 0.3), (0.03, 0, 0.04)],
            [0.1, 0.085, 0.1],
            skin,
            flatten=1.0,
        ),
        p.box((0.05, 0.08, 0.16), (0.06, 0, z - r - 0.14), trim),
        p.lathe([(0, 0), (0.16, 0), (0.13, 0.06), (0, 0.07)], trim, (0.03, 0, 0)),
        p.tube(
            [(-0.08, 0, 0.03), (-0.3, 0.1, 0.03), (-0.42, -0.08, 0.03), (-0.56, 0.0, 0.03)],
            0.022,
            t.RUBBER,
            8,
        ),
    ]
    return out


def trophy(rng: Rng) -> list[Part]:
    """A cup with two handles on a base with a plaque in front; often a star above it."""
    gold = (
        t.GOLD
        if rng.random() < 0.6
        else t.metal(t.pick(rng, ((0.78, 0.79, 0.82), (0.66, 0.42, 0.26))))
    )
    base = (
        t.wooden(rng, (0.3, 0.18, 0.1))
        if rng.random() < 0.5
        else t.plastic((1, 1, 1), t.marble(rng, (0.2, 0.2, 0.22), (0.6, 0.6, 0.6), 64))
    )
    h = float(rng.uniform(0.45, 0.65))
    z, r = float(rng.uniform(0.42, 0.58)), float(rng.uniform(0.26, 0.34))
    cup = [
        (0, 0),
        (0.06, 0.02),
        (r * 0.75, h * 0.3),
        (r, h * 0.8),
        (r * 1.08, h),
        (r, h),
        (r * 0.9, h * 0.8),
        (0, h * 0.3),
    ]
    plaque = t.label(
        rng, (0.85, 0.7, 0.3), (0.2, 0.13, 0.05), str(rng.choice(["1ST", "BEST", "WIN"])), (96, 64)
    )
    handle = p.arc(
        (0, r * 0.85, z + h * 0.6), (float(rng.uniform(0.16, 0.26)), h * 0.34), 1.9, -1.5, "yz", 11
    )
    star = [
        (float(reach * np.sin(a)), float(reach * np.cos(a)))
        for a, reach in zip(np.arange(10) * np.pi / 5, [0.17, 0.075] * 5, strict=True)
    ]
    ribbon = t.plastic(t.pick(rng, t.PAINTS))
    return [
        p.box((0.42, 0.46, 0.2), (0, 0, 0.1), base),
        p.box((0.5, 0.54, 0.06), (0, 0, 0.03), base),
        p.box((0.02, 0.36, 0.14), (0.21, 0, 0.115), t.plastic((1, 1, 1), plaque)),
        p.lathe(
            [(0.17, 0), (0.13, 0.04), (0.04, 0.1), (0.05, 0.18), (0.03, z - 0.2), (0.07, z - 0.18)],
            gold,
            (0, 0, 0.2),
        ),
        p.lathe(cup, gold, (0, 0, z)),
        *p.mirrored([p.tube(handle, 0.025, gold, 8)]),
        p.extrude(
            star, 0.04, ribbon if rng.random() < 0.5 else gold, "yz", (r * 0.98, 0, z + h * 0.62)
        ),
    ]


def backpack(rng: Rng) -> list[Part]:
    """A rucksack: pocket and flap in front, shoulder straps behind."""
    paint, accent = t.two_paints(rng)
    cloth = (
        t.matte((1, 1, 1), t.fabric(rng, paint, 96))
        if rng.random() < 0.6
        else t.matte((1, 1, 1), t.pattern(rng, paint, t.shade(paint, 1.5), 8, 128))
    )
    trim = t.matte((1, 1, 1), t.fabric(rng, accent))
    w, h, d = (
        float(rng.uniform(0.58, 0.7)),
        float(rng.uniform(0.8, 0.95)),
        float(rng.uniform(0.34, 0.42)),
    )

    def plump(v: p.Float) -> p.Float:
        bulge = 1 + 0.1 * np.sin(np.pi * np.clip(v[:, 2] / h, 0, 1))
        return np.column_stack([v[:, 0] * bulge, v[:, 1] * bulge, v[:, 2]])

    side = [
        (-d / 2, 0),
        (d / 2 - 0.05, 0),
        (d / 2, 0.08),
        (d / 2, h * 0.7),
        (d * 0.3, h * 0.93),
        (0, h),
        (-d * 0.4, h * 0.97),
        (-d / 2, h * 0.9),
    ]
    out = [
        p.extrude(side, w, cloth).warped(plump),
        p.extrude(
            p.rounded(w * 0.78, h * 0.4, 0.09, (0, h * 0.25)),
            0.16,
            trim,
            "yz",
            (d / 2 + 0.05, 0, 0),
        ),
        p.extrude(
            p.rounded(w * 0.8, 0.14, 0.05, (0, h * 0.43)), 0.18, cloth, "yz", (d / 2 + 0.05, 0, 0)
        ),
        p.box((0.03, 0.08, 0.07), (d / 2 + 0.15, 0, h * 0.38), t.GOLD),
        p.tube(
            [(-0.08, -0.1, h), (-0.09, -0.08, h + 0.1), (-0.09, 0.08, h + 0.1), (-0.08, 0.1, h)],
            0.025,
            trim,
            8,
        ),
        p.box(
            (0.02, 0.2, 0.13),
            (d / 2 + 0.03, 0, h * 0.64),
            t.plastic((1, 1, 1), t.label(rng, accent, paint, "HIKE", (64, 48))),
        ),
    ]
    strap = p.tube(
        [
            (-d / 2, 0.16, h * 0.9),
            (-d / 2 - 0.18, 0.19, h * 0.6),
            (-d / 2 - 0.13, 0.22, h * 0.25),
            (-d / 2, 0.25, 0.08),
        ],
        0.045,
        trim,
        8,
        1.6,
    )
    bottle = p.lathe(
        [(0, 0.03), (0.08, 0.03), (0.08, 0.34), (0.05, 0.4), (0.05, 0.46), (0, 0.46)],
        t.glossy(t.pick(rng, t.PAINTS)),
        (0, w / 2 + 0.06, 0),
    )
    return [*out, *p.mirrored([strap]), bottle]
