"""Panels: each binds to the document, none to another panel."""
