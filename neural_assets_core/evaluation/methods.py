"""What a report compares."""

from __future__ import annotations

METHODS = {
    "neural": ("", "this checkpoint"),
    "copy_source": ("copy_source_", "the source picture, unchanged"),
    "proxy": ("proxy_", "the geometric proxy alone"),
    "ceiling": ("ceiling_", "the autoencoder's copy of the truth"),
}
"""Prefix of each method's figures in a report, and what they are of."""

LABELS = dict(METHODS.values())
"""The same by prefix."""
