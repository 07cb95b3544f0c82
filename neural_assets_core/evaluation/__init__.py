"""Judging decoders on held-out pairs whose truth is known."""
