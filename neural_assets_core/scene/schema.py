"""The scene document's JSON schema, for programs that write or check scene files themselves."""

from __future__ import annotations

import json
from typing import Any

from neural_assets_core.scene.archive import FORMAT, VERSION
from neural_assets_core.scene.container import CONVENTIONS
from neural_assets_core.scene.scene import Scene


def scene_schema() -> str:
    """JSON schema (draft 2020-12) of `scene.json`: its header, and the fields of `Scene`."""
    schema = Scene.model_json_schema()
    header: dict[str, Any] = {
        "format": {"const": FORMAT},
        "version": {
            "type": "string",
            "pattern": r"^[0-9]{1,6}\.[0-9]{1,6}$",
            "description": f"Of the format; this schema is of {VERSION[0]}.{VERSION[1]}.",
        },
        "conventions": {
            "type": "object",
            "description": "For people: " + "; ".join(f"{k}: {v}" for k, v in CONVENTIONS.items()),
        },
    }
    complete = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "properties": {**header, **schema["properties"]},
        "required": ["format", "version", *schema["required"]],
    }
    return json.dumps(complete, indent=2, ensure_ascii=False) + "\n"
