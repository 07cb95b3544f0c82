"""Which estimators there are, by kind and name.

A name is a folder or a repository, which transformers opens; or one of those that packages
register, for example "moge" with its weights behind a colon: `moge:weights/model.pt`. A package
registers a function under the entry point group `neural_assets.estimators`, called `kind.name`:

    [project.entry-points."neural_assets.estimators"]
    "depth.mine" = "my_package:open_depth"

It is called with what stands behind the colon (or ""), and the device, and gives a
`DepthEstimator`, `MaskProposer` or `CameraEstimator`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from neural_assets_core.decoders import OPENING
from neural_assets_core.device_faults import device_faults
from neural_assets_core.errors import UserError
from neural_assets_core.estimators.packages import open_geocalib, open_moge_camera, open_moge_depth
from neural_assets_core.estimators.sources import find_model
from neural_assets_core.preferences import Preferences, load_preferences

Kind = Literal["depth", "masks", "camera"]
GROUP = "neural_assets.estimators"
Opener = Callable[[str, str], Any]

OWN: dict[str, Opener] = {
    "depth.moge": open_moge_depth,
    "camera.moge": open_moge_camera,
    "camera.geocalib": open_geocalib,
}


def registered(kind: Kind) -> dict[str, Opener]:
    """The names of a kind that need no folder, and what opens them."""
    found = {name: opener for name, opener in OWN.items() if name.startswith(f"{kind}.")}
    for entry in entry_points(group=GROUP):
        if entry.name.startswith(f"{kind}."):
            found[entry.name] = _brought(entry)
    return {name.partition(".")[2]: opener for name, opener in sorted(found.items())}


def _brought(entry: EntryPoint) -> Opener:
    """Imported only when it is used."""
    return lambda weights, device: entry.load()(weights, device)


def open_estimator(kind: Kind, name: str, preferences: Preferences | None = None) -> Any:
    """Open an estimator; never downloads.

    Parameters
    ----------
    kind : {"depth", "masks", "camera"}
    name : str
        See the module.
    preferences : Preferences, optional
        Say where to compute; by default the stored ones.

    Returns
    -------
    DepthEstimator, MaskProposer or CameraEstimator

    Raises
    ------
    UserError
        If there is none of this name, or it cannot be loaded.
    DeviceFault
        If there is not enough memory for it.
    """
    with OPENING, device_faults():
        return _opened(kind, name, preferences or load_preferences())


def _opened(kind: Kind, name: str, preferences: Preferences) -> Any:
    word, _, weights = name.partition(":")
    own = registered(kind)
    source = None
    if word not in own:
        if kind == "camera":
            raise UserError(f"There is no camera model {name!r}: use {' or '.join(own)}.")
        source = find_model(name)
    # Loading torch takes seconds: not for a wrong name.
    from neural_assets_core.model.loading import placement

    # Their precision is their own.
    device, _ = placement(preferences.changed(precision="auto"))
    if source is None:
        return own[word](weights, device)
    from neural_assets_core.estimators.transformers_models import open_depth, open_masks

    return (open_depth if kind == "depth" else open_masks)(source, device)
