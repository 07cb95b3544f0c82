"""Meshes from other programs as stand-ins: a box of their size, clay looks, and their lines."""

from neural_assets_core.meshes.reading import MESH_SUFFIXES, Mesh, load_mesh
from neural_assets_core.meshes.stand_in import load_placeable, stand_in

__all__ = ["MESH_SUFFIXES", "Mesh", "load_mesh", "load_placeable", "stand_in"]
