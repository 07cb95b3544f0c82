"""Things that drive or fly: car, truck, train, aeroplane. Forward is +x."""

from __future__ import annotations

import numpy as np

from neural_assets_core.data.families import parts as p
from neural_assets_core.data.families import textures as t
from neural_assets_core.data.families.parts import Part

Rng = np.random.Generator
LAMP = p.Material((0.98, 0.93, 0.72), None, 0.6, 0.6, 0.35)
TAIL = p.Material((0.75, 0.08, 0.07), None, 0.6, 0.6, 0.25)


def _wheels(rng: Rng, x: tuple[float, ...], y: float, r: float, width: float) -> list[Part]:
    hub = t.metal(t.pick(rng, t.NEUTRALS[:3]))
    out: list[Part] = []
    for at in x:
        for side in (-y, y):
            out += p.wheel(r, width, (at, side, r), t.RUBBER, hub)
    return out


def car(rng: Rng) -> list[Part]:
    """A small car with cabin, bonnet, lamps, bumpers and often a roof stripe or rack."""
    paint, accent = t.two_paints(rng)
    body = t.plastic(paint)
    length, width = 2.0, float(rng.uniform(0.82, 0.98))
    belt, roof = float(rng.uniform(0.46, 0.54)), float(rng.uniform(0.78, 0.92))
    bonnet = float(rng.uniform(0.30, 0.55))
    rear = float(rng.uniform(-0.95, -0.65))
    half = length / 2
    lower = [
        (-half, 0.20),
        (half - 0.04, 0.20),
        (half, 0.26),
        (half - 0.02, belt - 0.12),
        (half - 0.10, belt - 0.06),
        (bonnet, belt),
        (rear, belt),
        (-half + 0.03, belt - 0.03),
        (-half, belt - 0.12),
    ]
    top = [
        (rear + 0.01, belt - 0.01),
        (bonnet - 0.02, belt - 0.01),
        (bonnet - 0.32, roof - 0.03),
        (bonnet - 0.40, roof),
        (rear + 0.26, roof),
        (rear + 0.18, roof - 0.04),
    ]

    def narrow(v: p.Float) -> p.Float:
        """The cabin leans inwards."""
        one = np.ones(len(v))
        return v * np.column_stack([one, 1 - 0.22 * (v[:, 2] - belt) / (roof - belt), one])

    out = [
        p.extrude(lower, width, body),
        p.extrude(top, width * 0.9, t.GLASS).warped(narrow),
        p.box(
            (bonnet - 0.40 - rear - 0.22, width * 0.72, 0.045),
            ((bonnet + rear - 0.14) / 2, 0, roof),
            body,
        ),
        p.box((0.08, width * 0.98, 0.10), (half, 0, 0.25), t.metal((0.3, 0.31, 0.33))),
        p.box((0.08, width * 0.98, 0.10), (-half, 0, 0.25), t.metal((0.3, 0.31, 0.33))),
        p.box((0.03, width * 0.45, 0.07), (half, 0, belt - 0.15), t.BLACK),
    ]
    out += p.mirrored(
        [
            p.ellipsoid((0.05, 0.09, 0.07), (half - 0.02, width * 0.34, belt - 0.14), LAMP, 12),
            p.box((0.03, 0.16, 0.08), (-half, width * 0.36, belt - 0.13), TAIL),
            p.box(
                (0.05, 0.03, roof - belt),
                ((bonnet + rear) / 2 - 0.1, width * 0.40, (belt + roof) / 2),
                body,
            ),
            p.box((0.10, 0.10, 0.06), (bonnet - 0.16, width * 0.5 + 0.03, belt + 0.06), body),
        ]
    )
    out += _wheels(rng, (-0.62 * half, 0.62 * half), width / 2 - 0.04, 0.21, 0.15)
    kind = int(rng.integers(4))
    if kind == 0:
        stripe = t.plastic(accent)
        out.append(
            p.box(
                (half - bonnet - 0.12, 0.2, 0.02),
                ((half + bonnet - 0.1) / 2, 0, belt - 0.02),
                stripe,
            )
        )
        out.append(
            p.box((0.9, 0.2, 0.02), ((bonnet + rear - 0.14) / 2, 0, roof + 0.025), stripe).warped(
                lambda v: np.column_stack([np.clip(v[:, 0], rear + 0.2, bonnet - 0.4), v[:, 1:]])
            )
        )
    elif kind == 1:
        for y in (-0.22, 0.22):
            out.append(
                p.box(
                    (0.7, 0.04, 0.05),
                    ((bonnet + rear) / 2 - 0.05, y, roof + 0.06),
                    t.metal((0.5, 0.5, 0.5)),
                )
            )
        out.append(
            p.box((0.5, 0.5, 0.16), ((bonnet + rear) / 2 - 0.08, 0, roof + 0.15), t.wooden(rng))
        )
    elif kind == 2:
        sign = t.label(rng, (0.96, 0.78, 0.2), (0.1, 0.1, 0.1), "TAXI", (96, 48))
        out.append(
            p.box(
                (0.12, 0.36, 0.14),
                ((bonnet + rear) / 2, 0, roof + 0.09),
                t.plastic((1, 1, 1), sign),
            )
        )
    else:
        out.append(p.box((1.5, width + 0.012, 0.07), (0, 0, 0.36), t.plastic(accent)))
    return out


def truck(rng: Rng) -> list[Part]:
    """A lorry: cab in front, a patterned box or an open bed with cargo behind."""
    paint, accent = t.two_paints(rng)
    body = t.plastic(paint)
    width = float(rng.uniform(0.78, 0.92))
    cab_top = float(rng.uniform(0.88, 1.02))
    cab = [(0.36, 0.2), (1.0, 0.2), (1.0, 0.52), (0.93, 0.60), (0.78, cab_top), (0.36, cab_top)]
    out = [
        p.extrude(cab, width * 0.94, body),
        p.extrude(
            [(0.945, 0.60), (0.96, 0.60), (0.81, cab_top - 0.06), (0.79, cab_top - 0.06)],
            width * 0.8,
            t.GLASS,
        ),
        p.box((0.26, width * 0.955, 0.26), (0.62, 0, cab_top - 0.22), t.GLASS),
        p.box((0.06, width * 0.98, 0.10), (1.0, 0, 0.25), t.CHROME),
        p.box((0.03, width * 0.45, 0.14), (1.0, 0, 0.42), t.BLACK),
        p.box((1.36, width * 0.7, 0.10), (-0.32, 0, 0.25), t.matte((0.2, 0.2, 0.22))),
    ]
    out += p.mirrored(
        [
            p.cylinder(0.07, 0.05, (1.0, width * 0.36, 0.42), LAMP, "x", 12),
            p.box((0.03, 0.10, 0.06), (-1.0, width * 0.36, 0.26), TAIL),
        ]
    )
    if rng.random() < 0.6:
        height = float(rng.uniform(0.65, 0.95))
        skin = t.plastic((1, 1, 1), t.pattern(rng, accent, t.shade(accent, 1.8), 4))
        if rng.random() < 0.5:
            word = str(rng.choice(["FRESH", "MOVE", "POST", "ZOOM", "FARM"]))
            skin = t.plastic((1, 1, 1), t.label(rng, accent, t.pick(rng, t.NEUTRALS[:1]), word))
        out.append(p.box((1.3, width, height), (-0.36, 0, 0.30 + height / 2), skin))
    else:
        plank = t.wooden(rng)
        out.append(p.box((1.3, width, 0.06), (-0.36, 0, 0.33), plank))
        out += p.mirrored(
            [p.box((1.3, 0.05, 0.22), (-0.36, width / 2 - 0.02, 0.45), t.plastic(accent))]
        )
        out.append(p.box((0.05, width, 0.22), (-0.99, 0, 0.45), t.plastic(accent)))
        out.append(p.box((0.4, 0.45, 0.36), (-0.1, 0.1, 0.54), t.wooden(rng)))
        out.append(p.cylinder(0.19, 0.45, (-0.65, -0.1, 0.58), t.plastic(t.pick(rng, t.PAINTS))))
    out += _wheels(rng, (-0.66, 0.66), width / 2 - 0.06, 0.2, 0.16)
    return out


def train(rng: Rng) -> list[Part]:
    """A toy steam engine: boiler, funnel, cab and cow-catcher."""
    paint, accent = t.two_paints(rng)
    body, trim = t.plastic(paint), t.plastic(accent)
    r = float(rng.uniform(0.24, 0.30))
    z = 0.36 + r
    cab = float(rng.uniform(0.42, 0.55))
    top = z + r + 0.28
    out = [
        p.box((1.8, 0.56, 0.14), (0, 0, 0.30), t.matte((0.18, 0.18, 0.2))),
        p.cylinder(r, 1.25, (0.22, 0, z), body, "x"),
        p.cylinder(r * 1.04, 0.06, (0.10, 0, z), trim, "x"),
        p.cylinder(r * 1.04, 0.06, (0.55, 0, z), trim, "x"),
        p.cylinder(r * 0.9, 0.06, (0.86, 0, z), t.BLACK, "x"),
        p.cylinder(0.09, 0.05, (0.90, 0, z), LAMP, "x", 12),
        p.box((cab, 0.62, top - 0.36), (-0.62, 0, (top + 0.36) / 2), trim),
        p.box((cab * 0.55, 0.64, 0.22), (-0.62, 0, top - 0.20), t.GLASS),
        p.box((cab + 0.16, 0.74, 0.07), (-0.62, 0, top), body),
        p.lathe(
            [(0, 0), (0.09, 0), (0.08, 0.2), (0.15, 0.34), (0.15, 0.38), (0.09, 0.38), (0, 0.3)],
            t.BLACK,
            (0.62, 0, z + r - 0.03),
        ),
        p.lathe(
            [(0.1, 0), (0.1, 0.08), (0.07, 0.13), (0, 0.15)],
            t.metal((0.85, 0.66, 0.25)),
            (0.2, 0, z + r - 0.02),
        ),
        p.extrude([(0.86, 0.08), (1.12, 0.08), (0.9, 0.34)], 0.56, t.plastic((0.75, 0.15, 0.12))),
    ]
    for x in (-0.55, 0.0, 0.45):
        for y in (-0.30, 0.30):
            out += p.wheel(0.18, 0.07, (x, y, 0.18), trim, t.BLACK)
    return out


def aeroplane(rng: Rng) -> list[Part]:
    """A toy propeller plane standing on its wheels."""
    paint, accent = t.two_paints(rng)
    body, trim = t.plastic(paint), t.plastic(accent)
    wing_skin = (
        trim if rng.random() < 0.5 else t.plastic((1, 1, 1), t.stripes(rng, accent, paint, count=5))
    )
    span, z = float(rng.uniform(1.5, 1.9)), 0.42
    fuselage = p.lathe(
        [
            (0, -1.0),
            (0.07, -0.98),
            (0.15, -0.4),
            (0.22, 0.1),
            (0.23, 0.5),
            (0.19, 0.75),
            (0.1, 0.82),
            (0, 0.82),
        ],
        body,
    )
    wing_z = z + (0.20 if rng.random() < 0.4 else -0.08)
    out = [
        fuselage.moved(axis=(0, 1, 0), angle=np.pi / 2).moved((0, 0, z)),
        p.extrude(p.rounded(0.44, span, 0.18, (0.25, 0)), 0.06, wing_skin, "xy", (0, 0, wing_z)),
        p.extrude(p.rounded(0.26, 0.66, 0.1, (-0.84, 0)), 0.045, wing_skin, "xy", (0, 0, z + 0.04)),
        p.extrude([(-1.0, z), (-0.66, z), (-0.86, z + 0.36), (-1.02, z + 0.36)], 0.05, trim),
        p.ellipsoid((0.24, 0.13, 0.15), (0.18, 0, z + 0.18), t.GLASS, 14),
        p.ellipsoid((0.11, 0.08, 0.08), (0.84, 0, z), trim, 12),
        p.box((0.03, 0.08, 0.72), (0.86, 0, z), t.wooden(rng))
        .moved((0, 0, -z))
        .moved(axis=(1, 0, 0), angle=float(rng.uniform(0, np.pi)))
        .moved((0, 0, z)),
        p.tube([(-0.85, 0, z - 0.02), (-0.9, 0, 0.26)], 0.025, t.metal((0.4, 0.4, 0.42))),
    ]
    for y in (-0.28, 0.28):
        out.append(
            p.tube([(0.4, y * 0.6, z - 0.1), (0.42, y, 0.1)], 0.025, t.metal((0.4, 0.4, 0.42)))
        )
        out += p.wheel(0.1, 0.07, (0.42, y, 0.1), t.RUBBER, body)
    # Tail-dragger: the nose points slightly up.
    return p.moved(out, axis=(0, 1, 0), angle=-float(rng.uniform(0.02, 0.1)))
