"""Validation errors told in one sentence."""

from __future__ import annotations

from pydantic import ValidationError


def describe(error: ValidationError) -> str:
    """The first problem as `where: what`, without pydantic's types, inputs and addresses."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part)[:60] for part in first["loc"])
    what = first["msg"].removeprefix("Value error, ")
    return f"{where}: {what}" if where else what
