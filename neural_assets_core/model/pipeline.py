"""The Neural Assets pipeline: encode a picture's assets once, decode any number of poses."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler, DiffusionPipeline, UNet2DConditionModel
from diffusers.utils import BaseOutput
from diffusers.utils.torch_utils import randn_tensor
from numpy.typing import NDArray

from neural_assets_core.geometry import Camera
from neural_assets_core.model.assemble import LAYOUT, PROXY, Conditions, UNetInputs
from neural_assets_core.model.cache import TensorCache
from neural_assets_core.model.conditioning import region, source_inputs, target_inputs
from neural_assets_core.model.diffusion import denoised, drawing_timesteps
from neural_assets_core.model.encoder import VisualEncoder
from neural_assets_core.model.identity import encoder_identity
from neural_assets_core.model.kept_tokens import appearance_key, remembered_tokens
from neural_assets_core.model.latents import (
    VAE,
    decode_latents,
    encode_latents,
    latent_factor,
    to_images,
    to_pixels,
)
from neural_assets_core.model.lifting import ObjectLifter, VolumeLifter
from neural_assets_core.model.tokenizer import AssetTokenizer
from neural_assets_core.proxy import CARVER, Lifter, ProxyLayers
from neural_assets_core.scene import Appearance, Background, Scene, View

ViewCallback = Callable[[], None]
ForeignCallback = Callable[[Appearance], None]
StepCallback = Callable[[Any, int, int, dict[str, torch.Tensor]], dict[str, torch.Tensor]]


@dataclass
class NeuralAssetsPipelineOutput(BaseOutput):
    """Output of `NeuralAssetsPipeline`.

    Attributes
    ----------
    images : uint8 array (1, height, width, 3), or latents if `output_type="latent"`
    proxies : the same, or None without the map "proxy"
        What the autoencoder makes of the proxy: `images` less `proxies` is what the model changed,
        without what the autoencoder loses.
    """

    images: NDArray[np.uint8] | torch.Tensor
    proxies: NDArray[np.uint8] | torch.Tensor | None = None


@dataclass(frozen=True)
class EncodedAssets:
    """What the visual encoder has to say about a scene; poses play no part in it.

    Attributes
    ----------
    objects : dict of Appearance to tensor (k, c)
    background : tensor (1, c, h, w)
        Feature map of the background view with its objects masked out.
    """

    objects: dict[Appearance, torch.Tensor]
    background: torch.Tensor


def steps_taken(steps: int, strength: float) -> int:
    """How many of the steps a picture takes that begins with the proxy's; at least one."""
    return max(1, round(steps * strength))


def _dtype(module: torch.nn.Module) -> torch.dtype:
    """Of its weights; diffusers looks through all of them for it, which takes a millisecond."""
    # An autoencoder of patches has buffers only.
    return next(chain(module.parameters(), module.buffers())).dtype


class NeuralAssetsPipeline(DiffusionPipeline):
    """Regenerates a picture from its objects' appearances and (edited) 3D boxes.

    Parameters
    ----------
    vae : AutoencoderTiny, AutoencoderKL or PatchAutoencoder
        Frozen.
    unet : UNet2DConditionModel
        Its cross-attention reads asset tokens.
    scheduler : DDIMScheduler
        Its config says what the U-Net predicts (noise or velocity).
    visual_encoder : ConvVisualEncoder or ViTVisualEncoder
    asset_tokenizer : AssetTokenizer
    lifter : ObjectLifter, optional
        Gives the proxy's objects their shapes; frozen.
    maps : sequence of {"layout", "proxy"}
        Maps concatenated to the noisy latents; the paper's model has none. With "proxy" the
        U-Net generates the difference from the proxy's latents, so it repairs and relights
        what geometry already knows rather than painting it anew.
    residual_scale : float
        What that difference is multiplied by to have about unit deviation, as the noise has.

    Notes
    -----
    Source: Wu et al., Neural Assets: 3D-Aware Multi-Object Scene Synthesis with Image Diffusion
    Models (NeurIPS 2024).
    """

    _optional_components = ["lifter"]  # noqa: RUF012 - diffusers' own
    model_cpu_offload_seq = "visual_encoder->asset_tokenizer->unet->vae"

    def __init__(
        self,
        vae: VAE,
        unet: UNet2DConditionModel,
        scheduler: DDIMScheduler,
        visual_encoder: VisualEncoder,
        asset_tokenizer: AssetTokenizer,
        lifter: ObjectLifter | None = None,
        maps: list[str] | tuple[str, ...] = (LAYOUT, PROXY),
        residual_scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.register_modules(
            vae=vae,
            unet=unet,
            scheduler=scheduler,
            visual_encoder=visual_encoder,
            asset_tokenizer=asset_tokenizer,
            lifter=lifter,
        )
        self.proxy_lifter: Lifter = CARVER if lifter is None else VolumeLifter(lifter)
        self.register_to_config(maps=list(maps), residual_scale=residual_scale)

    @property
    def device(self) -> torch.device:
        """Where it computes; diffusers looks through all modules of all parts for it."""
        device: torch.device = next(self.unet.parameters()).device
        return device

    @property
    def sample_size(self) -> int:
        """Side in pixels of the pictures this model was trained to make."""
        return int(self.unet.config.sample_size) * latent_factor(self.vae)

    # -- first call: once a source picture ---------------------------------------------------

    @torch.no_grad()
    def encode_assets(
        self,
        scene: Scene,
        cache: TensorCache | None = None,
        callback_on_view: ViewCallback | None = None,
        callback_on_foreign: ForeignCallback | None = None,
    ) -> EncodedAssets:
        """Run the visual encoder on every source view of the scene.

        Parameters
        ----------
        scene : Scene
        cache : TensorCache, optional
            What was encoded before is taken from it, the rest is put into it.
        callback_on_view : callable, optional
            Called before every run of the encoder. Raising in it stops the encoding.
        callback_on_foreign : callable, optional
            Called with an appearance whose tokens, kept with its asset, another encoder made: it
            is encoded again.

        Returns
        -------
        EncodedAssets
            Valid for any scene with these appearances and this background, whatever the poses.
        """
        cache = TensorCache(0) if cache is None else cache
        # The same features for the same picture, whatever was encoded together: one view at a
        # time, one object at a time.
        maps: dict[Hashable, torch.Tensor] = {}
        model = self._encoder_state()
        background = scene.background
        occluders = tuple(appearance_key(occluder) for occluder in background.occluders)

        def encoded(view: View, group: tuple[Appearance, ...], objects: bool) -> torch.Tensor:
            if callback_on_view is not None:
                callback_on_view()
            return self._encode_view(view, group, objects=objects)

        def pooled(
            appearance: Appearance, group: tuple[Appearance, ...], key: Hashable
        ) -> torch.Tensor:
            kept = self._kept_tokens(appearance, callback_on_foreign) if len(group) == 1 else None
            if kept is not None:
                return kept
            if key not in maps:
                maps[key] = encoded(appearance.view, group, True)
            regions = torch.tensor([[region(appearance)]], device=maps[key].device)
            features: torch.Tensor = self.asset_tokenizer.object_features(maps[key], regions)
            return features[0, 0]

        objects: dict[Appearance, torch.Tensor] = {}
        for appearance in dict.fromkeys(item.appearance for item in scene.objects):
            # Which objects are left in the picture must not depend on what else is in the scene
            # now, or the same scene would look different by another way of getting there.
            here = appearance.view == background.view
            own = appearance_key(appearance)
            group = tuple(dict.fromkeys((*(background.occluders if here else ()), appearance)))
            group_key = tuple(dict.fromkeys((*(occluders if here else ()), own)))
            objects[appearance] = cache.get(
                ("object", model, own, group_key), partial(pooled, appearance, group, group_key)
            )
        return EncodedAssets(
            objects=objects,
            background=cache.get(
                ("background", model, background.view.picture.sha256, occluders),
                partial(encoded, background.view, background.occluders, False),
            ),
        )

    @torch.no_grad()
    def encode_object(self, appearance: Appearance) -> torch.Tensor:
        """What the encoder makes of one object alone in its view: tokens (k, c) for an asset."""
        features = self._encode_view(appearance.view, (appearance,), objects=True)
        regions = torch.tensor([[region(appearance)]], device=features.device)
        tokens: torch.Tensor = self.asset_tokenizer.object_features(features, regions)[0, 0]
        return tokens

    def _encode_view(
        self, view: View, appearances: tuple[Appearance, ...], *, objects: bool
    ) -> torch.Tensor:
        inputs = source_inputs(view, appearances, self.visual_encoder.config.sample_size)
        image = inputs.foreground if objects else inputs.background
        pixels = to_pixels(image[None]).to(self.device, _dtype(self.visual_encoder))
        features: torch.Tensor = self.visual_encoder(pixels)
        return features

    def _kept_tokens(
        self, appearance: Appearance, callback_on_foreign: ForeignCallback | None
    ) -> torch.Tensor | None:
        """Tokens (k, c) that an asset brought along, if this encoder made them."""
        kept = remembered_tokens(appearance)
        if kept is None:
            return None
        config = self.asset_tokenizer.config
        shape = (config.object_bins**2, config.feature_channels)
        if kept.encoder != self.encoder_identity() or kept.array.shape != shape:
            if callback_on_foreign is not None:
                callback_on_foreign(appearance)
            return None
        tokens = torch.from_numpy(kept.array.astype(np.float32))
        return tokens.to(self.device, _dtype(self.visual_encoder))

    def encoder_identity(self) -> str:
        """Names the encoder that makes tokens; see `neural_assets_core.model.identity`."""
        state = self._encoder_state()
        known: tuple[Hashable, str] | None = getattr(self, "_identity", None)
        if known is None or known[0] != state:
            known = (state, encoder_identity(self.visual_encoder, self.asset_tokenizer))
            self._identity = known
        return known[1]

    def _encoder_state(self) -> Hashable:
        """Differs once another encoder, other weights or another precision would answer."""
        encoder = self.visual_encoder
        # Every change of a tensor in place raises its version.
        written = sum(parameter._version for parameter in encoder.parameters())
        return (id(encoder), written, _dtype(encoder), self.device)

    # -- second call: for every pose -----------------------------------------------------------

    @torch.no_grad()
    def __call__(
        self,
        scene: Scene,
        camera: Camera | None = None,
        assets: EncodedAssets | None = None,
        conditions: Conditions | None = None,
        num_inference_steps: int = 20,
        guidance_scale: float = 1.5,
        strength: float = 1.0,
        generator: torch.Generator | None = None,
        latents: torch.Tensor | None = None,
        output_type: str = "np",
        return_dict: bool = True,
        callback_on_step_end: StepCallback | None = None,
    ) -> NeuralAssetsPipelineOutput | tuple[Any, ...]:
        """Make a picture of the scene.

        Parameters
        ----------
        scene : Scene
        camera : Camera, optional
            A square view of the scene, for example a window of `scene.camera`; brought to
            `sample_size`. Default: the scene's own.
        assets : EncodedAssets, optional
            From `encode_assets`; made here if not given.
        conditions : Conditions, optional
            From `prepare_conditions`, in the place of the three above; made here if not given.
        num_inference_steps, guidance_scale, generator, latents, output_type, return_dict
            As in every diffusers pipeline. `output_type` is "np" or "latent".
        strength : float
            In (0, 1]: 1 begins with noise alone; less begins with the proxy's picture under less
            noise, and takes that share of the steps.
        callback_on_step_end : callable, optional
            Called as `callback(pipeline, step, timestep, {"latents": ...})` after every step;
            may return changed latents. Raising in it stops the generation before decoding.

        Returns
        -------
        NeuralAssetsPipelineOutput

        Raises
        ------
        UserError
            If a box reaches behind the camera.
        ValueError
            If there are no steps.
        """
        if num_inference_steps < 1:
            raise ValueError(f"num_inference_steps is {num_inference_steps}, not 1 or more")
        if conditions is None:
            assets = assets or self.encode_assets(scene)
            conditions = self.prepare_conditions(scene, camera or scene.camera, assets)
        proxy_latents = conditions.proxy_latents.float()

        timesteps = drawing_timesteps(self.scheduler, num_inference_steps, self.device)
        timesteps = timesteps[-steps_taken(num_inference_steps, strength) :]
        size = self.unet.config.sample_size
        shape = (1, self.vae.config.latent_channels, size, size)
        if latents is None:
            latents = randn_tensor(shape, generator=generator, device=self.device)
        latents = latents * self.scheduler.init_noise_sigma
        if strength < 1.0:
            # What differs from the proxy is nothing yet, or the proxy is all there is.
            begun = torch.zeros_like(latents) if PROXY in self.config.maps else proxy_latents
            latents = self.scheduler.add_noise(begun, latents, timesteps[:1])
        if guidance_scale != 1.0:
            everything = torch.ones(1, dtype=torch.bool, device=self.device)
            conditions = conditions.dropped(everything).concatenated(conditions)
        tokens, mask, maps = UNetInputs(self.asset_tokenizer, tuple(self.config.maps))(conditions)
        # Once for all steps: diffusers looks through all of it for that too.
        dtype = _dtype(self.unet)

        def predict(noisy: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
            prediction: torch.Tensor = self.unet(
                torch.cat([noisy.to(dtype), *maps], dim=1),
                timestep,
                encoder_hidden_states=tokens,
                encoder_attention_mask=mask,
            ).sample
            return prediction

        with self.progress_bar(total=len(timesteps)) as bar:
            for step, timestep in enumerate(timesteps):
                latents = denoised(self.scheduler, latents, timestep, guidance_scale, predict)
                if callback_on_step_end is not None:
                    changed = callback_on_step_end(self, step, int(timestep), {"latents": latents})
                    latents = (changed or {}).get("latents", latents)
                bar.update()

        if PROXY in self.config.maps:
            latents = latents / self.config.residual_scale + proxy_latents
            latents = torch.cat([latents, proxy_latents])
        if output_type == "latent":
            pictures: NDArray[np.uint8] | torch.Tensor = latents
        else:
            pictures = to_images(decode_latents(self.vae, latents.to(_dtype(self.vae))))
        if not return_dict:
            return (pictures[:1],)
        return NeuralAssetsPipelineOutput(
            images=pictures[:1], proxies=pictures[1:] if len(pictures) > 1 else None
        )

    @torch.no_grad()
    def prepare_conditions(
        self,
        scene: Scene,
        camera: Camera,
        assets: EncodedAssets,
        proxy: ProxyLayers | None = None,
    ) -> Conditions:
        """Conditions, batch of one, for the square picture that `camera` takes of the scene.

        Its proxy, if there is one already, may be finer than `sample_size`, not coarser.

        Raises
        ------
        UserError
            If a box reaches behind the camera.
        """
        camera = camera.resized(self.sample_size, self.sample_size)
        size = self.unet.config.sample_size
        inputs = target_inputs(scene, camera, size, self.proxy_lifter, drawn=proxy)
        device, dtype = self.device, _dtype(self.unet)
        bins = self.asset_tokenizer.config.object_bins ** 2
        channels = self.asset_tokenizer.config.feature_channels
        features = [assets.objects[item.appearance] for item in scene.objects]
        stacked = torch.stack(features) if features else torch.zeros(0, bins, channels)
        region_ = torch.from_numpy(inputs.background_region)[None].to(device)

        def tensor(array: NDArray[Any]) -> torch.Tensor:
            return torch.from_numpy(array)[None].to(device, dtype)

        pixels = to_pixels(inputs.proxy[None]).to(device, _dtype(self.vae))
        return Conditions(
            object_features=stacked[None].to(device, dtype),
            object_present=torch.ones(1, len(features), dtype=torch.bool, device=device),
            corners=tensor(inputs.corners),
            background_features=self.asset_tokenizer.background_features(
                assets.background, region_
            ).to(dtype),
            background_pose=tensor(inputs.background_pose),
            layout=tensor(inputs.layout),
            nearest=torch.from_numpy(inputs.nearest)[None].to(device),
            proxy_latents=encode_latents(self.vae, pixels).to(dtype),
            proxy_masks=tensor(inputs.proxy_masks),
        )


__all__ = ["Background", "EncodedAssets", "NeuralAssetsPipeline", "NeuralAssetsPipelineOutput"]
