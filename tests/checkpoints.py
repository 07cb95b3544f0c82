"""Tiny checkpoints with random weights, written by the real libraries in the real layouts."""

from __future__ import annotations

from pathlib import Path

SIDE = 32
"""Pixels a side that the inpainting checkpoint draws best."""


def tiny_inpainting(channels: int = 9):
    """A Stable Diffusion inpainting pipeline; its tokenizer knows single letters."""
    # These take seconds: only tests that run them pay for them.
    import torch
    from diffusers import (
        AutoencoderKL,
        DDIMScheduler,
        StableDiffusionInpaintPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(0)
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{one}</w>" for one in letters)]
    tokenizer = CLIPTokenizer(
        vocab={word: number for number, word in enumerate(words)}, merges=[], model_max_length=16
    )
    text = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=16,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return StableDiffusionInpaintPipeline(
        vae=AutoencoderKL(
            block_out_channels=(8, 8),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            norm_num_groups=4,
            sample_size=SIDE,
        ),
        text_encoder=CLIPTextModel(text),
        tokenizer=tokenizer,
        unet=UNet2DConditionModel(
            sample_size=SIDE // 2,
            in_channels=channels,
            out_channels=4,
            block_out_channels=(8, 16),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            layers_per_block=1,
            cross_attention_dim=16,
            attention_head_dim=4,
            norm_num_groups=4,
        ),
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def write_inpainting(folder: Path, channels: int = 9, variant: str | None = None) -> Path:
    """Save one; returns the folder."""
    tiny_inpainting(channels).save_pretrained(str(folder), variant=variant)
    return folder


CARD = "---\nlicense: {licence}\n---\n\n# A tiny model\n"


def write_depth(folder: Path, licence: str = "apache-2.0", **config: str) -> Path:
    """Save a Depth Anything model with its model card; returns the folder."""
    import torch
    from transformers import (
        DepthAnythingConfig,
        DepthAnythingForDepthEstimation,
        Dinov2Config,
        DPTImageProcessorPil,
    )

    torch.manual_seed(0)
    backbone = Dinov2Config(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=28,
        patch_size=14,
        out_features=["stage1", "stage2", "stage3", "stage4"],
        reshape_hidden_states=False,
    )
    model = DepthAnythingForDepthEstimation(
        DepthAnythingConfig(
            backbone_config=backbone,
            reassemble_hidden_size=16,
            neck_hidden_sizes=[8, 8, 8, 8],
            fusion_hidden_size=8,
            head_hidden_size=8,
            patch_size=14,
            **config,
        )
    )
    # As they are initialised, hardly anything of the picture comes through to the last layer.
    for weights in model.parameters():
        if weights.dim() > 1:
            weights.data.normal_(0.0, weights[0].numel() ** -0.5)
    model.head.conv3.bias.data.fill_(3.0)
    model.save_pretrained(str(folder))
    DPTImageProcessorPil(
        size={"height": 56, "width": 56}, keep_aspect_ratio=True, ensure_multiple_of=14
    ).save_pretrained(str(folder))
    (folder / "README.md").write_text(CARD.format(licence=licence))
    return folder


def write_masks(folder: Path, licence: str = "apache-2.0") -> Path:
    """Save a SAM model with its model card; returns the folder."""
    import torch
    from transformers import (
        SamConfig,
        SamImageProcessorPil,
        SamMaskDecoderConfig,
        SamModel,
        SamProcessor,
        SamPromptEncoderConfig,
        SamVisionConfig,
    )

    torch.manual_seed(0)
    vision = SamVisionConfig(
        hidden_size=16,
        output_channels=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=64,
        mlp_dim=16,
        window_size=2,
        global_attn_indexes=[0],
        num_pos_feats=4,
    )
    prompts = SamPromptEncoderConfig(hidden_size=8, image_size=64, mask_input_channels=4)
    masks = SamMaskDecoderConfig(
        hidden_size=8,
        mlp_dim=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        iou_head_hidden_dim=8,
        attention_downsample_rate=1,
    )
    config = SamConfig(
        vision_config=vision.to_dict(),
        prompt_encoder_config=prompts.to_dict(),
        mask_decoder_config=masks.to_dict(),
    )
    SamModel(config).save_pretrained(str(folder))
    processor = SamImageProcessorPil(
        size={"longest_edge": 64},
        pad_size={"height": 64, "width": 64},
        mask_size={"longest_edge": 16},
        mask_pad_size={"height": 16, "width": 16},
    )
    SamProcessor(processor).save_pretrained(str(folder))
    (folder / "README.md").write_text(CARD.format(licence=licence))
    return folder
