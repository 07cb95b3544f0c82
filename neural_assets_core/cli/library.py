"""`neural-assets asset` and `neural-assets background`: the library, and scenes made from it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neural_assets_core.cli.scene import ScenePath
from neural_assets_core.cli.settings import warn
from neural_assets_core.errors import UserError
from neural_assets_core.preferences import load_preferences

if TYPE_CHECKING:
    from neural_assets_core.library import Asset, Entry, Library
    from neural_assets_core.model.pipeline import NeuralAssetsPipeline
    from neural_assets_core.scene import Scene

assets = typer.Typer(help="Keep objects, and put them into scenes.", no_args_is_help=True)
backgrounds = typer.Typer(help="Keep backgrounds, and swap them.", no_args_is_help=True)

LibraryPath = Annotated[
    Path | None,
    typer.Option("--library", metavar="DIR", help="The library's folder; your own by default."),
]
Name = Annotated[
    str,
    typer.Argument(
        metavar="ASSET",
        help="A name or folder/name in the library (then in the one that ships), or a file.",
    ),
]
Out = Annotated[
    Path, typer.Option("--out", metavar="NEW.nascene", help="Where the new scene is written.")
]
Folder = Annotated[str, typer.Option(metavar="NAME", help="The folder it is put into.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="WORD", help="May be repeated.")]
Licence = Annotated[str, typer.Option(metavar="TEXT", help="What may be done with it.")]
Search = Annotated[str, typer.Option("--search", metavar="WORDS", help="Only what has all words.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Checkpoint = Annotated[
    str | None, typer.Option(metavar="PATH", help='A folder in diffusers layout, or "default".')
]


# -- assets ------------------------------------------------------------------------------------


@assets.command("add")
def add(
    source: Annotated[
        Path, typer.Argument(metavar="FILE", help="A scene (.nascene), or an asset (.naasset).")
    ],
    names: Annotated[
        list[str] | None,
        typer.Option("--object", metavar="NAME", help="May be repeated; else all of a scene's."),
    ] = None,
    folder: Folder = "",
    tag: Tags = None,
    licence: Licence = "",
    checkpoint: Checkpoint = None,
    library: LibraryPath = None,
) -> None:
    """Add objects of a scene to the library, or an asset file; with --checkpoint encoded."""
    from neural_assets_core.library import ASSET_SUFFIX, load_asset, object_asset
    from neural_assets_core.scene import load_scene

    if source.suffix == ASSET_SUFFIX:
        if names or tag or licence:
            raise UserError("An asset file is added as it is: leave out the other options.")
        found = [load_asset(source)]
    else:
        scene = load_scene(source)
        found = [
            object_asset(scene, name, source=source.stem, **_label(tag, licence))
            for name in names or [item.name for item in scene.objects]
        ]
    if checkpoint is not None:
        found = _encoded(found, checkpoint)
    for asset in found:
        typer.echo(own_library(library).add(asset, folder))


@assets.command("list")
def list_objects(
    search: Search = "", as_json: Json = False, library: LibraryPath = None
) -> None:
    """List the library's objects, damaged files too."""
    _print_list(_listed(library, search, ("object", "damaged")), as_json)


@assets.command("show")
def show(
    name: Name, as_json: Json = False, checkpoint: Checkpoint = None, library: LibraryPath = None
) -> None:
    """Show one asset; with --checkpoint, whether its tokens are of that encoder."""
    asset = _load(name, library)
    report = _report(asset)
    if checkpoint is not None:
        from neural_assets_core.library.tokens import tokens_for

        report["note"] = tokens_for(asset, pipeline_of(checkpoint))[1]
    if as_json:
        typer.echo(json.dumps(report, indent=2))
    else:
        for key, value in report.items():
            typer.echo(f"{key:10}{_plain(value)}")


@assets.command("export")
def export(
    name: Name,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="An asset (.naasset) or a picture (.png).")
    ],
    library: LibraryPath = None,
) -> None:
    """Write an asset as a file of its own, or what it looks like as a picture."""
    from neural_assets_core.files import write_atomically
    from neural_assets_core.library import ASSET_SUFFIX, asset_picture, save_asset
    from neural_assets_core.scene.container import png

    asset = _load(name, library)
    if out.suffix == ASSET_SUFFIX:
        save_asset(asset, out)
    elif out.suffix.lower() == ".png":
        write_atomically(out, png(asset_picture(asset)))
    else:
        raise UserError(f"--out must end in {ASSET_SUFFIX} or .png, unlike {out.name}.")


@assets.command("insert")
def insert(
    scene: ScenePath,
    names: Annotated[
        list[str], typer.Argument(metavar="ASSET...", help="Names in the library, or files.")
    ],
    out: Out,
    at: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="X Y", help="Where on the ground, metres; else the picture's middle."),
    ] = None,
    turn: Annotated[float, typer.Option(metavar="DEG", help="Turned about the vertical.")] = 0.0,
    replace: Annotated[
        str | None, typer.Option(metavar="OBJECT", help="Put it in this object's place instead.")
    ] = None,
    library: LibraryPath = None,
) -> None:
    """Put assets into a scene, standing on the ground, and write a new scene file."""
    if replace is not None and (at is not None or turn or len(names) > 1):
        raise UserError("--replace takes one asset and the object's own place: leave out the rest.")
    if not all(math.isfinite(value) for value in (*(at or ()), turn)):
        raise UserError("--at and --turn need finite numbers.")
    from neural_assets_core.library import inserted, replaced
    from neural_assets_core.scene import load_scene

    after = load_scene(scene)
    for name in names:
        asset = _load(name, library)
        if replace is None:
            after = inserted(after, asset, at, math.radians(turn))
        else:
            after = replaced(after, replace, asset)
    _save(after, out)


@assets.command("transfer")
def transfer(
    scene: ScenePath,
    source: Annotated[
        Path, typer.Argument(metavar="FROM.nascene", help="The scene that has the objects.")
    ],
    names: Annotated[
        list[str],
        typer.Option("--object", metavar="NAME", help="An object of FROM; may be repeated."),
    ],
    out: Out,
) -> None:
    """Put objects of another scene into a scene, as they stand to one another there."""
    from neural_assets_core.library import transferred
    from neural_assets_core.scene import load_scene

    _save(transferred(load_scene(scene), load_scene(source), names), out)


# -- backgrounds -------------------------------------------------------------------------------


@backgrounds.command("add")
def add_background(
    scene: ScenePath,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Else the file's.")] = None,
    folder: Folder = "",
    tag: Tags = None,
    licence: Licence = "",
    library: LibraryPath = None,
) -> None:
    """Add a scene's background to the library."""
    from neural_assets_core.library import background_asset
    from neural_assets_core.scene import load_scene

    asset = background_asset(
        load_scene(scene), name or scene.stem, source=scene.stem, **_label(tag, licence)
    )
    typer.echo(own_library(library).add(asset, folder))


@backgrounds.command("list")
def list_backgrounds(
    search: Search = "", as_json: Json = False, library: LibraryPath = None
) -> None:
    """List the library's backgrounds."""
    _print_list(_listed(library, search, ("background",)), as_json)


@backgrounds.command("apply")
def apply(
    scene: ScenePath,
    background: Annotated[
        str, typer.Argument(metavar="BACKGROUND", help="A name in the library, a file, or a scene.")
    ],
    out: Out,
    library: LibraryPath = None,
) -> None:
    """Put all objects of a scene into another background, and write a new scene file."""
    from neural_assets_core.library import with_surroundings
    from neural_assets_core.scene import SCENE_SUFFIX, load_scene

    if background.endswith(SCENE_SUFFIX):
        other = load_scene(background).background
    else:
        other = _load(background, library).surroundings()
    _save(with_surroundings(load_scene(scene), other), out)


# -- what they share ---------------------------------------------------------------------------


def own_library(folder: Path | None) -> Library:
    """The library in a folder, by default the user's."""
    from neural_assets_core.library import Library, user_library

    return user_library() if folder is None else Library(folder)


def pipeline_of(checkpoint: str) -> NeuralAssetsPipeline:
    """A checkpoint's pipeline, where and as the user's preferences say."""
    from neural_assets_core.model.loading import load_pipeline, placement

    return load_pipeline(checkpoint, *placement(load_preferences(warn)))


def _libraries(folder: Path | None) -> list[Library]:
    """Where to look: the named library alone, or the user's own and the one that ships."""
    from neural_assets_core.library import STARTER, Library

    return [own_library(folder), *(() if folder is not None else (Library(STARTER),))]


def _load(name: str, folder: Path | None) -> Asset:
    from neural_assets_core.library import ASSET_SUFFIX, load_asset

    if name.endswith(ASSET_SUFFIX) and Path(name).is_file():
        return load_asset(name)
    places = _libraries(folder)
    for library in places:
        path = library.find(name)
        if path is not None:
            return load_asset(path)
    raise UserError(f"There is no asset called {name!r} in {places[0].root}: see `asset list`.")


def _label(tags: list[str] | None, licence: str) -> dict[str, Any]:
    from neural_assets_core.library.asset import checked_licence, checked_tags

    return {"tags": checked_tags(tags or ()), "licence": checked_licence(licence)}


def _encoded(found: list[Asset], checkpoint: str) -> list[Asset]:
    from neural_assets_core.library.tokens import encoded

    pipeline = pipeline_of(checkpoint)
    return [encoded(asset, pipeline) for asset in found]


def _save(scene: Scene, out: Path) -> None:
    from neural_assets_core.proxy import check_boxes
    from neural_assets_core.scene import SCENE_SUFFIX, save_scene

    if out.suffix != SCENE_SUFFIX:
        raise UserError(f"--out must end in {SCENE_SUFFIX}, unlike {out.name}.")
    check_boxes(scene)
    save_scene(scene, out)


def _listed(folder: Path | None, search: str, kinds: tuple[str, ...]) -> list[Entry]:
    return [
        entry
        for library in _libraries(folder)
        for entry in library.entries()
        if entry.kind in kinds and entry.matches(search)
    ]


def _print_list(entries: list[Entry], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_entry_report(entry) for entry in entries], indent=2))
        return
    from rich.table import Table
    from rich.text import Text

    from neural_assets_core.cli.tables import console

    table = Table("name", "folder", "category", "size (m)", "tags")
    for entry in entries:
        size = " ".join(f"{side:.2f}" for side in entry.size or ())
        # The path would make the table too wide to be read; --json has it.
        fault = entry.fault.replace(str(entry.path), entry.path.name)
        last = f"damaged: {fault}" if entry.fault else ", ".join(entry.tags)
        # Text: a name may look like rich's markup.
        table.add_row(*map(Text, (entry.name, entry.folder, entry.category, size, last)))
    console().print(table)


def _entry_report(entry: Entry) -> dict[str, Any]:
    return {key: str(value) if key == "path" else value for key, value in vars(entry).items()}


def _report(asset: Asset) -> dict[str, Any]:
    tokens = asset.token_array()
    view = (asset.appearance or asset.surroundings()).view
    return {
        "name": asset.name,
        "kind": asset.kind,
        "category": asset.category,
        "tags": list(asset.tags),
        "size": list(asset.appearance.box.size) if asset.appearance else None,
        "picture": [view.camera.width, view.camera.height],
        "tokens": None if tokens is None else list(tokens.shape),
        "encoder": asset.encoder,
        "scene": asset.provenance.scene,
        "image": asset.provenance.image,
        "licence": asset.provenance.licence,
        "date": asset.provenance.date,
    }


def _plain(value: Any) -> str:
    if isinstance(value, list):
        parts = (f"{part:.3f}" if isinstance(part, float) else str(part) for part in value)
        return " ".join(parts) or "-"
    return str(value) if value else "-"

