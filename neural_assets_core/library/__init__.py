"""Neural assets as things to keep: files of them, a folder of such files, scenes made of them."""

from neural_assets_core.library.asset import Asset, Provenance, background_asset, object_asset
from neural_assets_core.library.composition import (
    Placed,
    carried,
    composed,
    inserted,
    isolated,
    placed_box,
    replaced,
    transferred,
    with_surroundings,
)
from neural_assets_core.library.files import ASSET_SUFFIX, asset_picture, load_asset, save_asset
from neural_assets_core.library.folder import STARTER, Library, Trash, user_library
from neural_assets_core.library.listing import Entry

__all__ = [
    "ASSET_SUFFIX",
    "STARTER",
    "Asset",
    "Entry",
    "Library",
    "Placed",
    "Provenance",
    "Trash",
    "asset_picture",
    "background_asset",
    "carried",
    "composed",
    "inserted",
    "isolated",
    "load_asset",
    "object_asset",
    "placed_box",
    "replaced",
    "save_asset",
    "transferred",
    "user_library",
    "with_surroundings",
]
