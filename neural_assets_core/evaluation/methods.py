"""What a report compares: ways from a request to a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from neural_assets_core.decoders import ProxyDecoder
from neural_assets_core.decoders.base import Decoder
from neural_assets_core.decoders.neural import NeuralDecoder
from neural_assets_core.decoders.window import Window, edit_window
from neural_assets_core.evaluation.benchmark import Case
from neural_assets_core.evaluation.candidates import Candidate, parse_candidate
from neural_assets_core.evaluation.metrics import Image
from neural_assets_core.model.latents import decode_latents, encode_latents, to_images, to_pixels
from neural_assets_core.model.loading import load_pipeline, placement
from neural_assets_core.model.patches import PatchAutoencoder
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.preferences import Preferences
from neural_assets_core.proxy import CARVER
from neural_assets_core.scene import GenerationSettings

NEURAL, COPY, LIFTED, PROXY, CEILING, TRUTH = (
    "neural", "copy", "lifted", "proxy", "ceiling", "truth"
)

LABELS = {
    NEURAL: "this checkpoint",
    LIFTED: "the geometric proxy alone, objects lifted",
    PROXY: "the geometric proxy without weights, carved from masks",
    COPY: "the source picture, unchanged",
    CEILING: "the autoencoder's copy of the truth",
    TRUTH: "the truth itself, as the judge reads it",
}
"""What the names stand for; further checkpoints are called what the user calls them."""

SEEDLESS = (COPY, LIFTED, PROXY, CEILING, TRUTH)
"""Those that draw the same picture whatever the seed."""


@dataclass(frozen=True)
class Method:
    """One row of the table; `picture` answers a case, with the case's seed if it has one."""

    name: str
    label: str
    picture: Callable[[Case], Image]

    @property
    def seeded(self) -> bool:
        """Whether another seed makes another picture."""
        return self.name not in SEEDLESS


@dataclass(frozen=True)
class Lineup:
    """The rows of a report.

    Attributes
    ----------
    methods : sequence of Method
        The checkpoint that the report is about, and what it is compared with.
    candidates : mapping of str to Candidate
        By name, those methods that are checkpoints; the first is the report's own.
    size : int
        Side of the first checkpoint's pictures, pixels.
    """

    methods: Sequence[Method]
    candidates: Mapping[str, Candidate]
    size: int

    @property
    def settings(self) -> GenerationSettings:
        """How the first checkpoint is run."""
        return self.candidates[NEURAL].settings

    @property
    def labels(self) -> dict[str, str]:
        """By name, what each method is."""
        return {method.name: method.label for method in self.methods}

    @property
    def ways(self) -> dict[str, Callable[[Case], Image]]:
        """By name, how each method answers a case."""
        return {method.name: method.picture for method in self.methods}


def line_up(
    texts: Iterable[str], settings: GenerationSettings | None = None, *, whole: bool = False
) -> Lineup:
    """Load checkpoints, and what the first of them is to be compared with.

    The truth is a method too: what the judge reads in it is the best that it can read.

    Parameters
    ----------
    texts : iterable of str
        See `parse_candidate`; what is said twice is taken once.
    settings : GenerationSettings, optional
        How they are run where their text says nothing.
    whole : bool
        Checkpoints draw the whole (square) picture and keep no pixel of the source, as the
        paper's does.

    Raises
    ------
    UserError
        If a checkpoint cannot be loaded, or its text is wrong.
    """
    found = [parse_candidate(t, settings or GenerationSettings()) for t in dict.fromkeys(texts)]
    main, *others = found
    candidates = {NEURAL: main, **{other.name: other for other in others}}
    # Figures do not depend on what the user prefers.
    placed = placement(Preferences())
    names = dict.fromkeys(candidate.checkpoint for candidate in found)
    pipelines = {name: load_pipeline(name, *placed) for name in names}
    own = pipelines[main.checkpoint]

    def neural(candidate: Candidate) -> Callable[[Case], Image]:
        place = whole_picture if whole else edit_window
        settings = candidate.settings
        if whole:
            settings = settings.model_copy(update={"keep_source": False})
        return _drawn(NeuralDecoder(pipelines[candidate.checkpoint], place), settings)

    ways: dict[str, Callable[[Case], Image]] = {
        **{name: neural(candidate) for name, candidate in candidates.items()},
        LIFTED: _drawn(ProxyDecoder(own.proxy_lifter), main.settings),
        PROXY: _drawn(ProxyDecoder(CARVER), main.settings),
        COPY: lambda case: case.source.image,
        CEILING: lambda case: _copied(own, case),
        TRUTH: lambda case: case.target.image,
    }
    if own.lifter is None:
        del ways[LIFTED]
    if isinstance(own.vae, PatchAutoencoder):
        # It loses nothing: there is no ceiling.
        del ways[CEILING]
    methods = [Method(name, LABELS.get(name, name), draw) for name, draw in ways.items()]
    return Lineup(methods, candidates, own.sample_size)


def whole_picture(touched: NDArray[np.float32]) -> Window:
    """The window that is the square picture itself."""
    return Window(0, 0, touched.shape[1])


def _drawn(decoder: Decoder, settings: GenerationSettings) -> Callable[[Case], Image]:
    def picture(case: Case) -> Image:
        seed = settings.seed if case.seed is None else case.seed
        own = settings.model_copy(update={"seed": seed})
        scene = case.scene.model_copy(update={"settings": own})
        return decoder.generate(scene).picture.pixels

    return picture


@torch.no_grad()
def _copied(pipeline: NeuralAssetsPipeline, case: Case) -> Image:
    """What the autoencoder makes of the truth.

    A guide to what the latents can hold, no bound: decoders put the source's detail back.
    """
    vae = pipeline.vae
    pixels = to_pixels(case.target.image[None]).to(vae.device, vae.dtype)
    restored: Image = to_images(decode_latents(vae, encode_latents(vae, pixels)))[0]
    return restored
