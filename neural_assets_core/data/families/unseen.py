"""Families that only the benchmark draws: no training data ever has them. Forward is +x."""

from __future__ import annotations

import numpy as np

from neural_assets_core.data.families import parts as p
from neural_assets_core.data.families import textures as t
from neural_assets_core.data.families.parts import Part

Rng = np.random.Generator


def armchair(rng: Rng) -> list[Part]:
    """An upholstered armchair, its back at -x, with cushion and short feet."""
    paint, accent = t.two_paints(rng)
    cloth = t.matte((1, 1, 1), t.fabric(rng, paint))
    if rng.random() < 0.4:
        cloth = t.matte((1, 1, 1), t.pattern(rng, paint, t.shade(paint, 1.5), 6))
    soft = t.matte((1, 1, 1), t.pattern(rng, accent, t.shade(accent, 1.6), 6))
    w, d = float(rng.uniform(0.85, 1.05)), float(rng.uniform(0.8, 0.95))
    seat, arm, top = 0.40, float(rng.uniform(0.55, 0.66)), float(rng.uniform(0.9, 1.2))
    thick = float(rng.uniform(0.15, 0.21))
    back = p.extrude(p.rounded(w, top - 0.1, 0.12, (0, 0.1 + (top - 0.1) / 2)), thick, cloth, "yz")
    out = [
        p.box((d, w - thick, seat - 0.2), (0, 0, 0.1 + (seat - 0.2) / 2), cloth),
        back.moved(axis=(0, 1, 0), angle=-float(rng.uniform(0.03, 0.16))).moved((-d / 2, 0, 0)),
        p.extrude(
            p.rounded(d * 0.86, 0.16, 0.07, (0.06, seat - 0.03)),
            w - 2 * thick + 0.02,
            soft if rng.random() < 0.5 else cloth,
        ),
    ]
    side = p.rounded(d, arm - 0.1, 0.09, (0.02, 0.1 + (arm - 0.1) / 2))
    foot = t.wooden(rng)
    out += p.mirrored([p.extrude(side, thick, cloth, at=(0, (w - thick) / 2 + 0.03, 0))])
    for x in (-d * 0.42, d * 0.42):
        legs = p.lathe([(0, 0), (0.03, 0), (0.045, 0.11), (0, 0.11)], foot, (x, w * 0.42, 0))
        out += p.mirrored([legs])
    if rng.random() < 0.7:
        cushion = p.ellipsoid((0.07, w * 0.25, 0.2), (-d / 2 + 0.2, 0, seat + 0.2), soft)
        out.append(cushion)
    return out


def bus(rng: Rng) -> list[Part]:
    """A town bus: windscreen and destination board in front, doors on its right (-y)."""
    paint, accent = t.two_paints(rng)
    body, trim = t.plastic(paint), t.plastic(accent)
    length, w, h = 2.2, float(rng.uniform(0.58, 0.7)), float(rng.uniform(0.62, 0.75))
    double = rng.random() < 0.35
    h = h * 1.5 if double else h
    x, low = length / 2, 0.14
    sign = t.label(rng, (0.08, 0.08, 0.09), (0.97, 0.75, 0.2), str(rng.integers(10, 99)), (96, 40))
    out = [
        p.extrude(p.rounded(length, h, 0.09, (0, low + h / 2)), w, body),
        p.box((length * 0.99, w + 0.012, 0.09), (0, 0, low + 0.1), trim),
        p.box((0.02, w * 0.86, 0.26), (x, 0, low + 0.37), t.GLASS),
        p.box((0.024, w * 0.6, 0.11), (x, 0, low + h - 0.1), t.plastic((1, 1, 1), sign)),
        p.box((0.03, w * 0.9, 0.07), (x, 0, low + 0.04), t.BLACK),
        p.box((0.02, w * 0.7, 0.2), (-x, 0, low + h - 0.22), t.GLASS),
        p.box((length * 0.5, w * 0.5, 0.06), (-0.2, 0, low + h + 0.02), t.WHITE),
    ]
    lamp, tail = p.Material((0.98, 0.93, 0.72), None, 0.6, 0.6, 0.35), t.plastic((0.75, 0.1, 0.08))
    out += p.mirrored(
        [
            p.cylinder(0.045, 0.03, (x, w * 0.36, low + 0.16), lamp, "x", 12),
            p.box((0.02, 0.07, 0.12), (-x, w * 0.4, low + 0.16), tail),
        ]
    )
    for z in (low + 0.38, low + 0.38 + h / 2) if double else (low + 0.38,):
        for k in range(5):
            at = -x + 0.3 + k * 0.4
            door = k == 4 and z == low + 0.38
            out.append(p.box((0.32, 0.02, 0.2), (at, w / 2, z), t.GLASS))
            size = (0.3, 0.02, 0.44) if door else (0.32, 0.02, 0.2)
            out.append(p.box(size, (at, -w / 2, z - 0.1 if door else z), t.GLASS))
    hub = t.metal((0.7, 0.7, 0.72))
    for at in (-x * 0.62, x * 0.6):
        for y in (-w / 2 + 0.05, w / 2 - 0.05):
            out += p.wheel(0.15, 0.13, (at, y, 0.15), t.RUBBER, hub)
    return out


def kettle(rng: Rng) -> list[Part]:
    """A stove kettle with a short spout in front and a handle arching over the lid."""
    paint, accent = t.two_paints(rng)
    shiny = rng.random() < 0.5
    skin = t.metal(t.pick(rng, t.NEUTRALS[:3])) if shiny else t.plastic(paint)
    trim = t.wooden(rng) if rng.random() < 0.4 else t.plastic(accent)
    r, h = 0.5, float(rng.uniform(0.5, 0.8))
    top = float(rng.uniform(0.2, 0.32))
    profile = [
        (0, 0),
        (r * 0.96, 0),
        (r, 0.05),
        (r * 0.97, h * 0.35),
        (r * 0.78, h * 0.75),
        (top, h),
    ]
    z = h * 0.55
    arch = p.arc((0, 0, h * 0.86), (r * 0.75, h * 0.62), 0.25, np.pi - 0.25, "xz", 13)
    return [
        p.lathe(profile, skin),
        p.lathe([(r * 1.005, 0.06), (r * 0.995, h * 0.2)], t.plastic(accent)),
        p.lathe([(top + 0.03, h - 0.01), (top * 0.9, h + 0.05), (0, h + 0.08)], skin),
        p.ellipsoid((0.07, 0.07, 0.07), (0, 0, h + 0.12), trim, 12),
        p.tube(
            [(r * 0.7, 0, z), (r + 0.1, 0, z + 0.16), (r + 0.28, 0, h)], [0.14, 0.1, 0.05], skin
        ),
        p.tube(arch, 0.035, t.CHROME, 10),
        p.tube(arch[3:10] + np.array([0, 0, 0.01]), 0.058, trim, 12),
    ]


def dog(rng: Rng) -> list[Part]:
    """A toy dog on four legs, with snout, ears, tail and collar."""
    coat = t.pick(
        rng,
        (
            (0.55, 0.36, 0.2),
            (0.82, 0.68, 0.48),
            (0.2, 0.17, 0.16),
            (0.9, 0.87, 0.8),
            (0.6, 0.6, 0.6),
        ),
    )
    patch = t.pick(rng, ((0.25, 0.17, 0.12), (0.92, 0.9, 0.85), (0.45, 0.28, 0.16)))
    fur, other = (
        t.matte((1, 1, 1), t.carpet(rng, coat, 96)),
        t.matte((1, 1, 1), t.carpet(rng, patch, 64)),
    )
    collar = t.plastic(t.pick(rng, t.PAINTS))
    leg, long = float(rng.uniform(0.22, 0.5)), float(rng.uniform(0.42, 0.62))
    fat, z = float(rng.uniform(0.2, 0.27)), leg + 0.2
    hx, hz = long * 0.95, z + float(rng.uniform(0.28, 0.4))
    out = [
        p.ellipsoid((long, fat, fat * 1.05), (0, 0, z), fur, 24),
        p.ellipsoid(
            (long * 0.5, fat * 1.03, fat * 0.8), (-long * 0.25, 0, z + fat * 0.32), other, 18
        ),
        p.tube([(long * 0.6, 0, z + 0.05), (hx, 0, hz)], [fat * 0.8, 0.16], fur),
        p.tube([(long * 0.78, 0, z + 0.17), (long * 0.83, 0, z + 0.22)], 0.2, collar),
        p.ellipsoid((0.22, 0.2, 0.2), (hx + 0.02, 0, hz + 0.05), fur),
        p.ellipsoid((0.19, 0.11, 0.1), (hx + 0.23, 0, hz - 0.02), other, 14),
        p.ellipsoid((0.05, 0.06, 0.045), (hx + 0.41, 0, hz + 0.02), t.BLACK, 10),
    ]
    lift = float(rng.uniform(0.05, 0.45))
    out.append(
        p.tube(
            [
                (-long * 0.9, 0, z + 0.05),
                (-long - 0.15, 0, z + lift),
                (-long - 0.18, 0, z + lift + 0.2),
            ],
            [0.07, 0.055, 0.03],
            fur,
        )
    )
    hanging = rng.random() < 0.5
    ear = (
        p.ellipsoid((0.09, 0.035, 0.18), (hx - 0.03, 0.2, hz + 0.03), other, 12)
        if hanging
        else p.tube(
            [(hx - 0.06, 0.12, hz + 0.16), (hx - 0.08, 0.16, hz + 0.4)], [0.09, 0.015], other
        )
    )
    out += p.mirrored(
        [ear, p.ellipsoid((0.03, 0.03, 0.04), (hx + 0.17, 0.11, hz + 0.12), t.BLACK, 10)]
    )
    for x, y in ((long * 0.62, fat * 0.6), (-long * 0.66, fat * 0.6)):
        limb = [
            p.tube([(x, y, z), (x, y, 0.08)], [0.1, 0.07], fur),
            p.ellipsoid((0.12, 0.08, 0.06), (x + 0.04, y, 0.055), other, 12),
        ]
        out += p.mirrored(limb)
    return out


def mailbox(rng: Rng) -> list[Part]:
    """A letter box on a post: flap in front, flag on its left side (+y)."""
    paint, accent = t.two_paints(rng)
    skin, flag = t.plastic(paint), t.plastic(accent)
    d, w, h = float(rng.uniform(0.7, 0.95)), float(rng.uniform(0.4, 0.5)), 0.26
    post = float(rng.uniform(0.3, 0.75))
    r = w / 2
    hoop = [
        (r * float(np.cos(a)), post + h + r * float(np.sin(a))) for a in np.linspace(0, np.pi, 11)
    ]
    outline = [*hoop, (-r, post), (r, post)]
    number = t.label(rng, t.NEUTRALS[0], (0.1, 0.1, 0.12), str(rng.integers(1, 99)), (64, 48))
    wood = t.wooden(rng)
    inner = [(0.9 * y, post + 0.03 + 0.9 * (z - post)) for y, z in outline]
    up = rng.random() < 0.5
    pole = p.box((0.05, 0.03, 0.34), (0.1, r + 0.03, post + h + 0.1), flag)
    cloth = p.box((0.2, 0.03, 0.13), (0.17, r + 0.03, post + h + 0.24), flag)
    arm = (
        [pole, cloth]
        if up
        else p.moved(
            p.moved([pole, cloth], (-0.1, 0, -post - h), (0, 0, 1), 0.0),
            (0.1, 0, post + h),
            (0, 1, 0),
            1.4,
        )
    )
    return [
        p.extrude(outline, d, skin, "yz"),
        p.extrude(inner, 0.03, t.plastic(t.shade(paint, 0.75)), "yz", (d / 2, 0, 0)),
        p.box((0.06, 0.12, 0.04), (d / 2 + 0.03, 0, post + h + r * 0.6), t.CHROME),
        p.box(
            (0.03, w * 0.5, w * 0.36),
            (d / 2 + 0.01, 0, post + h * 0.55),
            t.plastic((1, 1, 1), number),
        ),
        p.box((d * 0.8, w * 0.7, 0.06), (0, 0, post - 0.03), wood),
        p.box((0.12, 0.12, post), (0, 0, post / 2), wood),
        p.extrude(
            p.rounded(0.5, 0.5, 0.12),
            0.05,
            t.matte((1, 1, 1), t.concrete(rng, (0.6, 0.6, 0.58), 64)),
            "xy",
            (0, 0, 0.025),
        ),
        *arm,
    ]


def headphones(rng: Rng) -> list[Part]:
    """Headphones standing on their cups; a microphone reaches forward from the left one (+y)."""
    paint, accent = t.two_paints(rng)
    shell, trim = t.plastic(paint), t.metal(accent) if rng.random() < 0.5 else t.plastic(accent)
    pad = t.matte((0.12, 0.12, 0.13)) if rng.random() < 0.7 else t.matte(t.pick(rng, t.NEUTRALS))
    r, half, top = float(rng.uniform(0.24, 0.32)), 0.46, float(rng.uniform(0.95, 1.15))
    band = p.arc((0, 0, r + 0.1), (half, top - r - 0.1), 0.0, np.pi, "yz", 17)
    cup = [
        p.cylinder(r, 0.1, (0, half, r), shell, "y"),
        p.cylinder(r * 0.6, 0.13, (0, half, r), trim, "y"),
        p.cylinder(r * 0.94, 0.14, (0, half - 0.1, r), pad, "y"),
        p.box((0.12, 0.05, r * 0.9), (0, half, r * 1.9), trim),
    ]
    return [
        *p.mirrored(cup),
        p.tube(band, 0.055, shell, 12, 2.0),
        p.tube(band[4:13] - np.array([0, 0, 0.06]), 0.05, pad, 12, 2.2),
        p.tube(
            [(r * 0.4, half + 0.03, r * 0.6), (r + 0.2, half - 0.05, 0.12), (r + 0.42, 0.2, 0.12)],
            0.025,
            t.BLACK,
            8,
        ),
        p.ellipsoid((0.07, 0.06, 0.05), (r + 0.44, 0.16, 0.12), pad, 12),
    ]
