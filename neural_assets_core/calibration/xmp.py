"""What XMP data tell about the lens."""

from __future__ import annotations

import re

Terms = tuple[float, float]
"""k1 and k2."""

STRONGEST = 2.0
"""Of terms that are a lens's and no mistake."""

_DEWARP = re.compile(rb'DewarpData\s*(?:=\s*"|>)[^;"<]*;([^"<]{1,400})')
_DEWARPED = re.compile(rb'DewarpFlag\s*(?:=\s*"|>)\s*1')
_PERSPECTIVE = re.compile(
    rb'PerspectiveDistortion\s*(?:=\s*"|>\s*(?:<rdf:Seq>\s*<rdf:li>\s*)?)([^"<]{1,400})'
)


def told_distortion(xmp: bytes) -> Terms | None:
    """The terms that a file's XMP data tell (DJI's DewarpData, Pix4D's PerspectiveDistortion).

    Parameters
    ----------
    xmp : bytes
        From anywhere: what cannot be read counts as nothing.
    """
    if _DEWARPED.search(xmp):
        return None
    # DJI: fx, fy, cx, cy, k1, k2, ...; Pix4D: k1, k2, ...
    for pattern, at in ((_DEWARP, 4), (_PERSPECTIVE, 0)):
        found = pattern.search(xmp)
        if found is None:
            continue
        try:
            k1, k2 = (float(text) for text in found[1].split(b",")[at : at + 2])
        except ValueError:
            continue
        if max(abs(k1), abs(k2)) <= STRONGEST and (k1, k2) != (0.0, 0.0):
            return k1, k2
    return None
