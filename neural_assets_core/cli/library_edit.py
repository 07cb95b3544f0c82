"""`neural-assets asset`, changes: tags, names, folders, tokens of what is in the library."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neural_assets_core.cli.library import Json, LibraryPath, assets, own_library, pipeline_of
from neural_assets_core.errors import UserError

if TYPE_CHECKING:
    from neural_assets_core.library import Library

folders = typer.Typer(help="Folders of the library.", no_args_is_help=True)

Names = Annotated[
    list[str],
    typer.Argument(metavar="ASSET...", help="Names or folder/name in the library, or its files."),
]
Name = Annotated[
    str, typer.Argument(metavar="ASSET", help="A name or folder/name in the library, or a file.")
]
Folder = Annotated[str, typer.Argument(metavar="FOLDER", help='Its path, with "/".')]


@assets.command("tag")
def tag(
    names: Names,
    add: Annotated[
        list[str] | None, typer.Option("--add", metavar="WORD", help="May be repeated.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="WORD", help="May be repeated.")
    ] = None,
    library: LibraryPath = None,
) -> None:
    """Give assets of the library tags, or take them away."""
    if not add and not remove:
        raise UserError("Say what is to change: --add WORD or --remove WORD.")
    own = own_library(library)
    for path in _files(own, names):
        own.tag(path, add or (), remove or ())


@assets.command("describe")
def describe(
    names: Names,
    licence: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What may be done with it.")
    ] = None,
    category: Annotated[
        str | None, typer.Option(metavar="WORD", help="The kind of object that it is.")
    ] = None,
    library: LibraryPath = None,
) -> None:
    """Change the licence note or the category of assets of the library."""
    if licence is None and category is None:
        raise UserError("Say what is to change: --licence TEXT or --category WORD.")
    from neural_assets_core.library.asset import categorized, licensed

    own = own_library(library)
    for path in _files(own, names):
        if licence is not None:
            own.relabel(path, lambda label: licensed(label, licence))
        if category is not None:
            own.relabel(path, lambda label: categorized(label, category))


@assets.command("rename")
def rename(
    name: Name,
    new_name: Annotated[str, typer.Argument(metavar="NEW", help="The new name.")],
    library: LibraryPath = None,
) -> None:
    """Give an asset of the library another name; prints its file."""
    if not new_name.strip():
        raise UserError("An asset needs a name: say which.")
    own = own_library(library)
    typer.echo(own.rename(_file(own, name), new_name))


@assets.command("move")
def move(
    names: Names,
    to: Annotated[
        str, typer.Option("--to", metavar="FOLDER", help='Made if it is missing; "" is the top.')
    ],
    library: LibraryPath = None,
) -> None:
    """Put assets of the library into another folder of it; prints their files."""
    own = own_library(library)
    for path in _files(own, names):
        typer.echo(own.move(path, to))


@assets.command("remove")
def remove(names: Names, library: LibraryPath = None) -> None:
    """Put assets into the library's trash; prints where they lie there, for `asset restore`."""
    own = own_library(library)
    for path in _files(own, names):
        typer.echo(own.delete(path))


@assets.command("restore")
def restore(
    trashed: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="What `asset remove` printed.")
    ],
    library: LibraryPath = None,
) -> None:
    """Take assets or folders out of the library's trash; prints where they are now."""
    own = own_library(library)
    for path in trashed:
        typer.echo(own.restore(path))


@assets.command("empty-trash")
def empty_trash(library: LibraryPath = None) -> None:
    """Remove what was put into the library's trash for good; prints how much that was."""
    typer.echo(f"Removed for good: {own_library(library).empty_trash()}.")


@assets.command("encode")
def encode(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="ASSET...", help="Names in the library; else all of its objects."),
    ] = None,
    checkpoint: Annotated[
        str, typer.Option(metavar="PATH", help='A folder in diffusers layout, or "default".')
    ] = "default",
    library: LibraryPath = None,
) -> None:
    """Make the appearance tokens of assets with a checkpoint's encoder, where it made none yet."""
    own = own_library(library)
    found = _files(own, names) if names else _objects(own)
    from neural_assets_core.library.tokens import encoded

    pipeline = pipeline_of(checkpoint)
    for path in found:
        asset = own.load(path)
        if asset.encoder == pipeline.encoder_identity():
            continue
        again = " again: another encoder made its tokens" if asset.encoder else ""
        own.keep_tokens(path, encoded(asset, pipeline))
        typer.echo(f"{path}: encoded{again}.")


# -- folders -----------------------------------------------------------------------------------


@folders.command("list")
def list_folders(as_json: Json = False, library: LibraryPath = None) -> None:
    """List the library's folders, empty ones too."""
    found = own_library(library).folders()
    if as_json:
        typer.echo(json.dumps(found))
    else:
        for folder in found:
            typer.echo(folder)


@folders.command("make")
def make(folder: Folder, library: LibraryPath = None) -> None:
    """Make a folder, numbered if that name is taken; prints its path."""
    typer.echo(own_library(library).make_folder(folder))


@folders.command("move")
def move_folder(
    folder: Folder,
    to: Annotated[str, typer.Argument(metavar="NEW", help="Its new path.")],
    library: LibraryPath = None,
) -> None:
    """Rename a folder, or put it into another one; prints its path."""
    typer.echo(own_library(library).move_folder(folder, to))


@folders.command("remove")
def remove_folder(folder: Folder, library: LibraryPath = None) -> None:
    """Put a folder with all that is in it into the trash; prints where it lies there."""
    typer.echo(own_library(library).delete_folder(folder))


# -- what they share ---------------------------------------------------------------------------


def _files(library: Library, names: Iterable[str]) -> list[Path]:
    # All of them before anything is changed.
    return [_file(library, name) for name in names]


def _file(library: Library, name: str) -> Path:
    path = Path(name) if Path(name).is_file() else library.find(name)
    if path is None:
        raise UserError(f"There is no asset called {name!r} in {library.root}: see `asset list`.")
    return path


def _objects(library: Library) -> list[Path]:
    return [entry.path for entry in library.entries() if entry.kind == "object"]
