"""New, untrained models from a configuration: one place that knows how the parts fit."""

from __future__ import annotations

from typing import Literal

from diffusers import AutoencoderKL, AutoencoderTiny, DDIMScheduler, UNet2DConditionModel
from pydantic import BaseModel, ConfigDict

from neural_assets_core.errors import UserError
from neural_assets_core.model.assemble import LAYOUT, map_channels
from neural_assets_core.model.checkpoints import resolve_checkpoint
from neural_assets_core.model.encoder import ConvVisualEncoder, VisualEncoder, ViTVisualEncoder
from neural_assets_core.model.latents import VAE, latent_factor
from neural_assets_core.model.lifting import ObjectLifter
from neural_assets_core.model.loading import load_autoencoder, load_encoder, load_lifter
from neural_assets_core.model.patches import PatchAutoencoder
from neural_assets_core.model.pipeline import NeuralAssetsPipeline
from neural_assets_core.model.tokenizer import AssetTokenizer


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class VAEConfig(_Config):
    """The autoencoder: "tiny" (no normalisation, quick), "kl" (as Stable Diffusion's) or "patch".

    `blocks` are residual blocks a level, from full resolution down. "patch" is exact and has no
    weights: see `PatchAutoencoder`; it uses `levels` alone. With `initial`, "default" or a folder,
    it is that checkpoint's, and is not trained any further.
    """

    initial: str | None = None
    kind: Literal["tiny", "kl", "patch"] = "tiny"
    levels: int = 3
    encoder_channels: int = 32
    decoder_channels: int = 48
    channel_multipliers: tuple[int, ...] = (1, 2, 4, 4)
    encoder_blocks: tuple[int, ...] = (1, 2, 2)
    decoder_blocks: tuple[int, ...] = (1, 2, 2)
    latent_channels: int = 6


class EncoderConfig(_Config):
    """The visual encoder: "conv" or "vit", or the one of a checkpoint, to start from.

    `initial` is "default" or a folder; the checkpoint's encoder has a shape of its own, then, and
    of the settings below only `sample_size` counts.
    """

    initial: str | None = None

    kind: Literal["conv", "vit"] = "conv"
    sample_size: int = 128
    block_out_channels: tuple[int, ...] = (64, 128, 192)
    layers_per_block: int = 2
    patch_size: int = 8
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12


class TokenizerConfig(_Config):
    """See `AssetTokenizer`."""

    appearance_dim: int = 256
    pose_dim: int = 256
    pose_hidden_dim: int = 512
    object_bins: int = 3
    background_bins: int = 4
    pose_frequencies: int = 4
    splat_channels: int = 16
    background_posed: bool = True


class LifterConfig(_Config):
    """See `ObjectLifter`.

    `initial` is "default" or a folder: training starts from the weights of that checkpoint's
    lifter, which fit whatever the `sample_size`.
    """

    initial: str | None = None
    sample_size: int = 32
    depth: int = 24
    block_out_channels: tuple[int, ...] = (64, 96, 128)
    layers_per_block: int = 1
    norm_num_groups: int = 16


class UNetConfig(_Config):
    """See `UNet2DConditionModel`; one number of `heads` and one `attention` flag a level."""

    block_out_channels: tuple[int, ...] = (96, 160, 224)
    attention: tuple[bool, ...] = (False, True, True)
    heads: tuple[int, ...] = (2, 4, 4)
    layers_per_block: int = 1
    cross_attention_dim: int = 256
    norm_num_groups: int = 32
    prediction_type: Literal["v_prediction", "epsilon"] = "v_prediction"
    zero_terminal_snr: bool = True


class ModelConfig(_Config):
    """Everything that shapes a pipeline.

    Attributes
    ----------
    sample_size : int
        Side of the generated pictures in pixels.
    maps : tuple of {"layout", "proxy"}
        See `NeuralAssetsPipeline`.
    lifter : LifterConfig or None
        Without it the proxy's objects are carved from their masks.
    """

    sample_size: int = 128
    maps: tuple[Literal["layout", "proxy"], ...] = ("layout", "proxy")
    vae: VAEConfig = VAEConfig()
    encoder: EncoderConfig = EncoderConfig()
    tokenizer: TokenizerConfig = TokenizerConfig()
    lifter: LifterConfig | None = None
    unet: UNetConfig = UNetConfig()


def build_vae(config: VAEConfig) -> VAE:
    """An autoencoder: untrained, or a checkpoint's.

    Raises
    ------
    UserError
        If `config.initial` is no checkpoint.
    """
    if config.initial is not None:
        return load_autoencoder(resolve_checkpoint(config.initial) / "vae")
    if config.kind == "patch":
        patch = 2 ** (config.levels - 1)
        return PatchAutoencoder(patch, 3 * patch**2)
    if config.kind == "tiny":
        return AutoencoderTiny(
            encoder_block_out_channels=(config.encoder_channels,) * config.levels,
            decoder_block_out_channels=(config.decoder_channels,) * config.levels,
            num_encoder_blocks=config.encoder_blocks,
            # Diffusers lists the decoder's levels from the latents up.
            num_decoder_blocks=config.decoder_blocks[::-1],
            latent_channels=config.latent_channels,
        )
    widths = tuple(config.encoder_channels * m for m in config.channel_multipliers)
    return AutoencoderKL(
        block_out_channels=widths,
        down_block_types=("DownEncoderBlock2D",) * len(widths),
        up_block_types=("UpDecoderBlock2D",) * len(widths),
        layers_per_block=2,
        latent_channels=config.latent_channels,
        norm_num_groups=min(32, config.encoder_channels),
    )


def build_lifter(config: LifterConfig) -> ObjectLifter:
    """A new lifting network.

    Raises
    ------
    UserError
        If `config.initial` is no checkpoint with a lifting network of this shape.
    """
    lifter: ObjectLifter = ObjectLifter(**config.model_dump(exclude={"initial"}))
    if config.initial is None:
        return lifter
    folder = resolve_checkpoint(config.initial) / "lifter"
    try:
        lifter.load_state_dict(load_lifter(folder, "cpu").state_dict())
    except RuntimeError:
        raise UserError(
            f"The lifting network of {config.initial} has another shape: give the same `depth` and "
            "`block_out_channels` in [model.lifter]."
        ) from None
    return lifter


def build_pipeline(
    config: ModelConfig, vae: VAE | None = None, lifter: ObjectLifter | None = None
) -> NeuralAssetsPipeline:
    """A pipeline with an untrained decoder around `vae` and `lifter` (or untrained ones)."""
    vae = vae if vae is not None else build_vae(config.vae)
    if config.lifter is not None and lifter is None:
        lifter = build_lifter(config.lifter)
    encoder = build_encoder(config.encoder)
    tokens = config.tokenizer.model_dump()
    if LAYOUT not in config.maps:
        # Nothing to paint into: weights that no loss reaches would only be in the way.
        tokens["splat_channels"] = 0
    tokenizer = AssetTokenizer(
        feature_channels=encoder.feature_channels,
        cross_attention_dim=config.unet.cross_attention_dim,
        **tokens,
    )
    latent_channels = vae.config.latent_channels
    maps = map_channels(config.maps, config.tokenizer.splat_channels, latent_channels)
    unet = build_unet(
        config.unet,
        config.sample_size // latent_factor(vae),
        latent_channels + maps,
        latent_channels,
    )
    return NeuralAssetsPipeline(
        vae=vae,
        unet=unet,
        scheduler=build_scheduler(config.unet),
        visual_encoder=encoder,
        asset_tokenizer=tokenizer,
        lifter=lifter,
        maps=config.maps,
    )


def build_unet(
    config: UNetConfig, size: int, in_channels: int, out_channels: int
) -> UNet2DConditionModel:
    """An untrained U-Net for latents of `size` cells a side."""
    attention = config.attention
    return UNet2DConditionModel(
        sample_size=size,
        in_channels=in_channels,
        out_channels=out_channels,
        block_out_channels=config.block_out_channels,
        down_block_types=tuple("CrossAttnDownBlock2D" if a else "DownBlock2D" for a in attention),
        up_block_types=tuple("CrossAttnUpBlock2D" if a else "UpBlock2D" for a in attention[::-1]),
        layers_per_block=config.layers_per_block,
        cross_attention_dim=config.cross_attention_dim,
        norm_num_groups=config.norm_num_groups,
        # Diffusers' name notwithstanding, this is the number of heads.
        attention_head_dim=config.heads,
    )


def build_scheduler(config: UNetConfig) -> DDIMScheduler:
    """The noise that a U-Net of this configuration learns to take away."""
    return DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        clip_sample=False,
        prediction_type=config.prediction_type,
        rescale_betas_zero_snr=config.zero_terminal_snr,
        timestep_spacing="trailing",
        set_alpha_to_one=True,
    )


def build_encoder(config: EncoderConfig) -> VisualEncoder:
    """A visual encoder: untrained, or a checkpoint's.

    Raises
    ------
    UserError
        If `config.initial` is no checkpoint.
    """
    encoder: VisualEncoder
    if config.initial is not None:
        encoder = load_encoder(config.initial)
        if isinstance(encoder, ConvVisualEncoder):
            # It takes any size; a transformer's table of positions has one.
            encoder.register_to_config(sample_size=config.sample_size)
    elif config.kind == "conv":
        encoder = ConvVisualEncoder(
            sample_size=config.sample_size,
            block_out_channels=config.block_out_channels,
            layers_per_block=config.layers_per_block,
        )
    else:
        encoder = ViTVisualEncoder(
            sample_size=config.sample_size,
            patch_size=config.patch_size,
            hidden_size=config.hidden_size,
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            intermediate_size=4 * config.hidden_size,
        )
    return encoder
