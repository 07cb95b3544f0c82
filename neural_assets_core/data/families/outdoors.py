"""Animals, and what goes over land, water and air. Forward is +x."""

from __future__ import annotations

import numpy as np

from neural_assets_core.data.families import parts as p
from neural_assets_core.data.families import textures as t
from neural_assets_core.data.families.parts import Material, Part

Rng = np.random.Generator
LAMP = Material((0.98, 0.93, 0.72), None, 0.6, 0.6, 0.35)


def boat(rng: Rng) -> list[Part]:
    """A tugboat or a sailing boat; the bow points to +x."""
    paint, accent = t.two_paints(rng)
    hull = t.plastic(paint)
    w, h = float(rng.uniform(0.5, 0.64)), float(rng.uniform(0.28, 0.36))
    plan = [
        (-0.9, -0.42),
        (0.3, -0.5),
        (0.65, -0.36),
        (0.98, 0.0),
        (0.65, 0.36),
        (0.3, 0.5),
        (-0.9, 0.42),
    ]
    outline = [(x, w * y) for x, y in plan]

    def flare(v: p.Float) -> p.Float:
        """Narrower at the keel, rising at the bow."""
        s = np.clip(v[:, 2] / h, 0, 1)
        return np.column_stack(
            [
                v[:, 0] * (0.86 + 0.14 * s),
                v[:, 1] * (0.62 + 0.38 * s),
                v[:, 2] + 0.16 * s * np.clip(v[:, 0], 0, None) ** 2,
            ]
        )

    deck = t.matte((1, 1, 1), t.planks(rng, t.pick(rng, t.WOODS), 128))
    out = [
        p.extrude(outline, h * 0.5, t.plastic(accent), "xy", (0, 0, h * 0.25)).warped(flare),
        p.extrude(outline, h * 0.5, hull, "xy", (0, 0, h * 0.75)).warped(flare),
        p.extrude([(0.9 * x, 0.86 * y) for x, y in outline], 0.02, deck, "xy", (0, 0, h)).warped(
            flare
        ),
    ]
    if rng.random() < 0.5:
        z, funnel = h + 0.3, t.plastic(t.pick(rng, t.PAINTS))
        out += [
            p.box((0.7, w * 0.55, 0.3), (-0.1, 0, h + 0.14), t.WHITE),
            p.box((0.36, w * 0.5, 0.22), (0.05, 0, z + 0.1), t.plastic(accent)),
            p.box((0.3, w * 0.52, 0.1), (0.1, 0, z + 0.13), t.GLASS),
            p.box((0.46, w * 0.58, 0.03), (0.05, 0, z + 0.22), hull),
            p.lathe([(0.1, 0), (0.1, 0.28), (0, 0.28)], funnel, (-0.3, 0, z - 0.02)),
            p.lathe([(0.104, 0.16), (0.104, 0.24)], t.BLACK, (-0.3, 0, z - 0.02)),
            p.tube([(0.62, 0, h), (0.6, 0, h + 0.5)], 0.02, t.CHROME, 8),
        ]
        for x in (-0.3, -0.05):
            out += p.mirrored([p.cylinder(0.06, 0.02, (x, w * 0.28, h + 0.17), t.GLASS, "y", 14)])
    else:
        tall = float(rng.uniform(0.95, 1.3))
        sail = t.matte((1, 1, 1), t.stripes(rng, t.NEUTRALS[0], accent, count=5, across=True))
        out += [
            p.tube([(0.1, 0, h * 0.8), (0.1, 0, h + tall)], 0.025, t.wooden(rng), 8),
            p.tube([(0.1, 0, h + 0.14), (-0.72, 0, h + 0.16)], 0.02, t.wooden(rng), 8),
            p.extrude([(0.07, h + 0.18), (-0.7, h + 0.2), (0.07, h + tall)], 0.02, sail),
            p.extrude(
                [(0.16, h + 0.15), (0.9, h + 0.2), (0.14, h + tall * 0.85)],
                0.015,
                t.matte(t.shade(accent, 1.2)),
            ),
            p.extrude(
                [(0.1, h + tall), (-0.18, h + tall + 0.05), (0.1, h + tall + 0.1)], 0.015, hull
            ),
            p.box((0.34, w * 0.4, 0.12), (-0.45, 0, h + 0.02), t.wooden(rng)),
        ]
    return out


def helicopter(rng: Rng) -> list[Part]:
    """A helicopter on skids: glass nose in front, tail rotor on its left (+y)."""
    paint, accent = t.two_paints(rng)
    skin, trim = t.glossy(paint), t.plastic(accent)
    z = 0.5
    r = float(rng.uniform(0.26, 0.32))
    blades = int(rng.integers(2, 5))
    turn = float(rng.uniform(0, np.pi))
    out = [
        p.ellipsoid((0.52, r, r * 1.05), (0.1, 0, z), skin, 24),
        p.ellipsoid((0.34, r * 0.93, r * 0.86), (0.32, 0, z + 0.03), t.GLASS, 20),
        p.tube(
            [(-0.2, 0, z + 0.08), (-0.75, 0, z + 0.13), (-1.15, 0, z + 0.18)],
            [0.15, 0.08, 0.05],
            skin,
        ),
        p.extrude(
            [(-1.22, z + 0.12), (-1.02, z + 0.14), (-1.14, z + 0.46), (-1.26, z + 0.46)], 0.04, trim
        ),
        p.box((0.14, 0.5, 0.03), (-0.95, 0, z + 0.17), trim),
        p.cylinder(0.04, 0.2, (0.05, 0, z + r + 0.05), t.CHROME, "z", 10),
        p.ellipsoid((0.2, 0.12, 0.09), (0, 0, z + r), trim, 14),
        p.box((0.5, r * 2.03, 0.05), (0.0, 0, z - 0.06), trim).warped(lambda v: v * (1, 0.98, 1)),
        p.cylinder(0.03, 0.06, (-1.14, 0.05, z + 0.3), t.CHROME, "y", 8),
    ]
    for k in range(blades):
        one = p.box((0.85, 0.08, 0.015), (0.42, 0, 0), t.matte((0.2, 0.2, 0.22)))
        tip = p.box((0.1, 0.082, 0.017), (0.8, 0, 0), t.plastic((0.9, 0.75, 0.2)))
        out += p.moved([one, tip], (0.05, 0, z + r + 0.14), angle=turn + 2 * np.pi * k / blades)
    for a in (0.5, 0.5 + np.pi / 2):
        blade = p.box((0.36, 0.015, 0.04), (0, 0, 0), t.WHITE).moved(axis=(0, 1, 0), angle=a)
        out.append(blade.moved((-1.14, 0.09, z + 0.3)))
    skid = [
        p.tube([(-0.35, 0.27, 0.03), (0.4, 0.27, 0.03), (0.55, 0.27, 0.1)], 0.025, t.CHROME, 8),
        p.tube([(-0.15, 0.14, z - r * 0.8), (-0.15, 0.27, 0.03)], 0.02, t.CHROME, 8),
        p.tube([(0.25, 0.14, z - r * 0.8), (0.25, 0.27, 0.03)], 0.02, t.CHROME, 8),
        p.box((0.2, 0.02, 0.2), (0.02, r * 0.96, z + 0.07), t.GLASS),
    ]
    return [*out, *p.mirrored(skid)]


def tractor(rng: Rng) -> list[Part]:
    """A farm tractor: small wheels and bonnet in front, big wheels under the cab."""
    paint, accent = t.two_paints(rng)
    body, hub = t.plastic(paint), t.plastic(accent)
    big, small = float(rng.uniform(0.38, 0.45)), float(rng.uniform(0.2, 0.26))
    z = 0.42
    top = z + float(rng.uniform(0.75, 0.9))
    grille = t.plastic(
        (1, 1, 1), t.stripes(rng, (0.1, 0.1, 0.1), t.shade(paint, 0.8), count=8, across=True)
    )
    out = [
        p.extrude(
            [
                (-0.1, z - 0.12),
                (0.86, z - 0.12),
                (0.9, z + 0.14),
                (0.82, z + 0.28),
                (-0.1, z + 0.34),
            ],
            0.36,
            body,
        ),
        p.box((0.02, 0.3, 0.3), (0.885, 0, z + 0.04), grille),
        p.box((1.3, 0.24, 0.14), (0.1, 0, z - 0.14), t.matte((0.2, 0.2, 0.22))),
        p.cylinder(0.03, 0.36, (0.6, -0.1, z + 0.42), t.BLACK, "z", 10),
        p.box((0.5, 0.5, 0.2), (-0.42, 0, z + 0.05), body),
        p.box((0.06, 0.36, 0.3), (-0.6, 0, z + 0.3), t.BLACK),
        p.box((0.64, 0.64, 0.05), (-0.38, 0, top), hub),
        p.box((0.02, 0.5, 0.3), (-0.12, 0, z + 0.5), t.GLASS),
    ]
    out += p.mirrored(
        [
            p.box((0.05, 0.05, top - z), (-0.12, 0.27, (top + z) / 2), body),
            p.box((0.05, 0.05, top - z), (-0.64, 0.27, (top + z) / 2), body),
            p.cylinder(0.05, 0.03, (0.88, 0.12, z + 0.2), LAMP, "x", 12),
            p.extrude(
                [
                    (big * 1.12 * float(np.cos(a)) - 0.45, big + big * 1.12 * float(np.sin(a)))
                    for a in np.linspace(0.3, 2.8, 9)
                ]
                + [
                    (big * float(np.cos(a)) - 0.45, big + big * float(np.sin(a)))
                    for a in np.linspace(2.8, 0.3, 9)
                ],
                0.24,
                body,
                at=(0, 0.4, 0),
            ),
        ]
    )
    for y in (-0.4, 0.4):
        out += p.wheel(big, 0.22, (-0.45, y, big), t.RUBBER, hub)
        out += p.wheel(small, 0.15, (0.62, y * 0.75, small), t.RUBBER, hub)
    return out


def scooter(rng: Rng) -> list[Part]:
    """A motor scooter: handlebar, shield and lamp in front, seat and box behind."""
    paint, accent = t.two_paints(rng)
    body, seat = t.glossy(paint), t.matte(accent)
    r = 0.21
    high = float(rng.uniform(0.85, 0.98))
    hub = t.metal((0.75, 0.75, 0.77))
    out = [
        *p.wheel(r, 0.12, (0.62, 0, r), t.RUBBER, hub),
        *p.wheel(r, 0.12, (-0.52, 0, r), t.RUBBER, hub),
        p.extrude(
            [(0.36, 0.2), (0.46, 0.18), (0.56, high - 0.1), (0.48, high - 0.06)], 0.36, body
        ).warped(
            lambda v: (
                v
                * np.column_stack(
                    [np.ones(len(v)), 1.15 - 0.5 * np.clip(v[:, 2] - 0.3, 0, None), np.ones(len(v))]
                )
            )
        ),
        p.tube([(0.62, 0, r), (0.5, 0, high)], 0.035, t.CHROME, 8),
        p.extrude([(0.44, 0.36), (0.84, 0.3), (0.8, 0.42), (0.62, 0.5), (0.48, 0.5)], 0.15, body),
        p.box((0.6, 0.3, 0.05), (0.14, 0, 0.21), t.RUBBER),
        p.extrude(
            [(-0.75, 0.3), (-0.1, 0.2), (-0.05, 0.3), (-0.1, 0.54), (-0.78, 0.56), (-0.86, 0.45)],
            0.34,
            body,
        ),
        p.extrude(p.rounded(0.64, 0.1, 0.045, (-0.42, 0.6)), 0.28, seat),
        p.ellipsoid((0.07, 0.09, 0.08), (0.57, 0, high - 0.06), LAMP, 14),
        p.ellipsoid((0.09, 0.12, 0.1), (0.51, 0, high - 0.04), body, 14),
        p.box((0.03, 0.14, 0.07), (-0.86, 0, 0.44), t.plastic((0.75, 0.1, 0.08))),
        p.tube([(-0.3, -0.17, 0.15), (-0.85, -0.19, 0.17)], 0.05, t.CHROME, 10),
    ]
    bar = [
        p.tube([(0.49, 0, high), (0.46, 0.2, high + 0.05)], 0.022, t.CHROME, 8),
        p.tube([(0.46, 0.2, high + 0.05), (0.4, 0.32, high + 0.04)], 0.032, t.RUBBER, 8),
        p.tube([(0.48, 0.14, high + 0.03), (0.45, 0.22, high + 0.2)], 0.01, t.CHROME, 6),
        p.ellipsoid((0.02, 0.07, 0.05), (0.44, 0.24, high + 0.22), t.GLASS, 10),
    ]
    out += p.mirrored(bar)
    if rng.random() < 0.6:
        word = str(rng.choice(["PIZZA", "POST", "FAST"]))
        lid = t.plastic((1, 1, 1), t.label(rng, accent, t.NEUTRALS[0], word, (96, 72)))
        out.append(p.box((0.34, 0.36, 0.32), (-0.72, 0, 0.82), lid))
    return out


def bird(rng: Rng) -> list[Part]:
    """A perching bird with beak, crest or cap, folded wings and a long tail."""
    back, belly = t.two_paints(rng)
    feather = t.matte((1, 1, 1), t.feathers(rng, back))
    breast, wing = t.matte(belly), t.matte((1, 1, 1), t.feathers(rng, t.shade(back, 0.7)))
    beak = t.plastic((0.9, 0.6, 0.15)) if rng.random() < 0.6 else t.BLACK
    fat, lean = float(rng.uniform(0.24, 0.34)), float(rng.uniform(0.2, 0.7))
    group = [
        p.ellipsoid((0.5, fat, fat), (0, 0, 0), feather, 24),
        p.ellipsoid((0.4, fat * 0.9, fat * 0.85), (0.09, 0, -fat * 0.22), breast, 20),
        p.extrude(
            [(-0.3, -0.1), (-0.95, -0.14), (-0.95, 0.14), (-0.3, 0.1)],
            0.05,
            wing,
            "xy",
            (0, 0, 0.04),
        ),
    ]
    side = p.ellipsoid((0.42, 0.06, 0.2), (-0.16, fat * 0.92, 0.05), wing, 16)
    group += p.mirrored([side.moved(axis=(0, 1, 0), angle=-0.1)])
    z = 0.28 + fat + 0.5 * float(np.sin(lean)) * 0.6
    out = p.moved(group, (0, 0, z), (0, 1, 0), -lean)
    hx, hz = 0.44 * float(np.cos(lean)) + 0.02, z + 0.44 * float(np.sin(lean)) + 0.14
    r = fat * 0.72
    out += [
        p.ellipsoid((r, r, r), (hx, 0, hz), feather),
        p.lathe([(0.09, 0), (0.05, 0.13), (0, float(rng.uniform(0.2, 0.42)))], beak, slices=12)
        .moved(axis=(0, 1, 0), angle=1.65)
        .moved((hx + r * 0.85, 0, hz - 0.02)),
    ]
    if rng.random() < 0.5:
        crest = t.plastic(t.pick(rng, t.PAINTS))
        for k in range(3):
            out.append(
                p.tube(
                    [
                        (hx - 0.05 * k, 0, hz + r * 0.8),
                        (hx - 0.14 - 0.1 * k, 0, hz + r + 0.2 - 0.05 * k),
                    ],
                    [0.05, 0.012],
                    crest,
                    8,
                )
            )
    out += p.mirrored(
        [
            p.ellipsoid((0.035, 0.03, 0.045), (hx + r * 0.6, r * 0.7, hz + 0.06), t.BLACK, 10),
            p.tube([(0.02, 0.11, z - fat * 0.6), (0.04, 0.12, 0.04)], 0.025, beak, 8),
            p.tube([(-0.12, 0.12, 0.025), (0.22, 0.12, 0.025)], 0.025, beak, 8),
            p.tube([(0.03, 0.12, 0.025), (0.18, 0.22, 0.025)], 0.022, beak, 8),
        ]
    )
    return out


def elephant(rng: Rng) -> list[Part]:
    """A toy elephant with trunk, tusks and big ears, sometimes under a blanket."""
    color = t.pick(
        rng, ((0.5, 0.52, 0.56), (0.62, 0.58, 0.55), (0.45, 0.55, 0.7), (0.8, 0.55, 0.6))
    )
    hide = t.matte((1, 1, 1), t.concrete(rng, color, 128))
    inner = t.matte(t.shade(color, 1.4))
    z, fat = float(rng.uniform(0.5, 0.6)), float(rng.uniform(0.3, 0.36))
    lift = float(rng.uniform(-0.25, 0.5))
    hx, hz = 0.62, z + 0.2
    trunk = [
        (hx + 0.16, 0, hz - 0.05),
        (hx + 0.36, 0, hz - 0.2),
        (hx + 0.42, 0, hz - 0.42 + 0.3 * max(lift, 0)),
        (hx + 0.55, 0, hz - 0.5 + lift),
    ]
    out = [
        p.ellipsoid((0.58, fat, fat * 1.06), (0, 0, z), hide, 24),
        p.ellipsoid((0.27, 0.25, 0.28), (hx, 0, hz), hide, 22),
        p.tube(trunk, [0.14, 0.1, 0.08, 0.055], hide, 14),
        p.tube(
            [(-0.54, 0, z + 0.08), (-0.68, 0, z - 0.1), (-0.7, 0, z - 0.25)],
            [0.035, 0.025, 0.04],
            hide,
            8,
        ),
    ]
    ear = p.ellipsoid((0.05, 0.21, 0.26), (0, 0, 0), hide, 18)
    lining = p.ellipsoid((0.03, 0.17, 0.21), (0.035, 0, 0), inner, 16)
    flap = p.moved([ear, lining], (hx - 0.12, 0.36, hz + 0.06), (0, 0, 1), -0.5)
    out += p.mirrored(
        [
            *flap,
            p.tube(
                [
                    (hx + 0.17, 0.1, hz - 0.16),
                    (hx + 0.34, 0.13, hz - 0.22),
                    (hx + 0.42, 0.13, hz - 0.12),
                ],
                [0.04, 0.03, 0.008],
                t.WHITE,
                8,
            ),
            p.ellipsoid((0.03, 0.025, 0.035), (hx + 0.2, 0.16, hz + 0.08), t.BLACK, 10),
        ]
    )
    toes = t.plastic(t.shade(color, 1.6))
    for x in (0.34, -0.36):
        limb = [p.tube([(x, 0.2, z), (x, 0.2, 0.0)], [0.15, 0.13], hide)]
        limb += [
            p.ellipsoid(
                (0.04, 0.04, 0.04),
                (x + 0.12 * float(np.cos(a)), 0.2 + 0.12 * float(np.sin(a)), 0.04),
                toes,
                8,
            )
            for a in (-0.6, 0.0, 0.6)
        ]
        out += p.mirrored(limb)
    if rng.random() < 0.5:
        paint, accent = t.two_paints(rng)
        blanket = p.ellipsoid(
            (0.34, fat * 1.04, fat * 1.1),
            (-0.02, 0, z),
            t.matte((1, 1, 1), t.pattern(rng, paint, accent, 8)),
            24,
        )
        out.append(
            blanket.warped(
                lambda v: np.column_stack(
                    [np.clip(v[:, 0], -0.22, 0.2), v[:, 1], np.clip(v[:, 2], z, None)]
                )
            )
        )
    return out


def turtle(rng: Rng) -> list[Part]:
    """A turtle with a patterned shell, its head stretched out to +x."""
    green = t.pick(rng, ((0.45, 0.58, 0.28), (0.6, 0.55, 0.3), (0.3, 0.5, 0.42), (0.7, 0.62, 0.4)))
    skin = t.matte((1, 1, 1), t.concrete(rng, green, 64))
    plates = t.plastic(
        (1, 1, 1),
        t.scales(
            rng,
            t.pick(rng, ((0.42, 0.3, 0.16), (0.25, 0.36, 0.2), (0.55, 0.3, 0.2), (0.3, 0.3, 0.42))),
        ),
    )
    rim = t.plastic(t.shade(green, 0.65))
    high, w = float(rng.uniform(0.34, 0.5)), float(rng.uniform(0.44, 0.54))
    angle = np.linspace(0, np.pi / 2, 9)
    dome = p.lathe(
        [(float(np.cos(a)), high * float(np.sin(a))) for a in angle], plates, slices=32, cap_uv=True
    )
    z, hz = 0.16, float(rng.uniform(0.2, 0.36))
    out = [
        dome.warped(lambda v: v * (0.62, w, 1.0) + (0, 0, z + 0.04)),
        p.ellipsoid((0.66, w * 1.06, 0.07), (0, 0, z + 0.03), rim, 28),
        p.ellipsoid((0.56, w * 0.9, 0.09), (0, 0, z - 0.03), t.matte(t.shade(green, 1.5)), 20),
        p.tube([(0.5, 0, z), (0.72, 0, hz)], [0.11, 0.1], skin),
        p.ellipsoid((0.17, 0.13, 0.12), (0.8, 0, hz + 0.03), skin, 18),
        p.tube([(-0.55, 0, z - 0.02), (-0.78, 0, z - 0.08)], [0.06, 0.012], skin, 8),
    ]
    turn = float(rng.uniform(-0.3, 0.3))
    for x, a in ((0.42, 0.5 + turn), (-0.42, 2.5 - turn)):
        at = (x + 0.24 * float(np.cos(a)), w * 0.7 + 0.24 * float(np.sin(a)), 0.06)
        out += p.mirrored(
            [
                p.tube([(x, w * 0.6, z), at], [0.12, 0.09], skin),
                p.ellipsoid((0.11, 0.1, 0.06), at, skin, 12),
            ]
        )
    out += p.mirrored([p.ellipsoid((0.03, 0.025, 0.035), (0.88, 0.1, hz + 0.08), t.BLACK, 10)])
    return out
