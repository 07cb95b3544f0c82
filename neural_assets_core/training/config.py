"""What a training run is made of, read from one TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from neural_assets_core.errors import UserError
from neural_assets_core.model.build import ModelConfig
from neural_assets_core.scene.validation import describe

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataConfig(_Config):
    """Made data, rendered first if they are not there, or any set that `data.readers` know.

    Attributes
    ----------
    path : Path
        Folder of the training set. The held-out set of made data and of footage lies beside it
        with `-heldout` added; published sets have their own.
    scenes, frames, size, seed : int
        As in `neural-assets dataset make`; without a part in other data. No scenes: nothing is
        made, the data must be there.
    heldout_scenes : int
    window_share : float
        Share of the samples that look at a window of the picture instead of all of it.
    smallest_window : float
        Side of the smallest window, as a fraction of the picture's.
    unmasked_share : float
        Share of the samples whose objects come without masks, as in a user's own photograph.
    workers : int
        Loader processes; 0 builds the samples in the training process.
    objects : int
        Most objects in a sample; of more, the largest are kept. The paper has 23 for MOVi-E.
    paired : bool
        Whether source and target are two frames; else one frame is both.
    cache_views : int
        Keep the latents of so many views of every frame on disk, and with `frozen_encoder` the
        objects' appearances too; 0 keeps nothing. The first view is the whole picture, the others
        are windows, the same in all frames: fewer than the ones drawn anew for every sample.
    cache : Path or None
        Where; beside the data, `PATH-cache`, if it is not said.
    """

    path: Path
    scenes: Natural
    frames: int = Field(default=8, ge=2)
    size: Count = 128
    seed: Natural = 1
    heldout_scenes: Count = 100
    window_share: Share = 0.6
    smallest_window: float = Field(default=0.5, gt=0, le=1)
    unmasked_share: Share = 0.2
    workers: Natural = 1
    objects: Count = 8
    paired: bool = True
    cache_views: Natural = 0
    cache: Path | None = None


class StageConfig(_Config):
    """One stage of training.

    Attributes
    ----------
    batch_size : int
    learning_rate : float
        Of new layers.
    pretrained_learning_rate : float
        Of the visual encoder and U-Net where they start from a checkpoint.
    warmup_steps : int
    steps : int
        Upper limit.
    minutes : float
        Time limit, without loading; the learning rate reaches a hundredth of its peak at
        whichever limit comes first.
    """

    batch_size: Count = 32
    learning_rate: Positive = 3e-4
    pretrained_learning_rate: Positive = 5e-5
    warmup_steps: Natural = 200
    steps: Count = 1_000_000
    minutes: Positive = 30.0


class DecoderStageConfig(StageConfig):
    """The second stage: encoder, tokenizer and U-Net together.

    Attributes
    ----------
    dropout : float
        Share of the samples trained without conditioning, for classifier-free guidance.
    object_weight : float
        Loss weight of latent cells where something changes, relative to the others.
    ema_decay : float
    noise_bias : float
        Timesteps are drawn as T u^(1 / bias), u uniform: above 1, training dwells on high noise,
        where pictures of few steps are decided.
    accumulation : int
        Batches whose gradients make one step: `batch_size` is what fits into memory at once.
    gradient_checkpointing : bool
        Less memory for a third more time: activations are computed again on the way back.
    frozen_encoder : bool
        Whether the visual encoder stays as it is.
    """

    dropout: Share = 0.1
    object_weight: Positive = 3.0
    ema_decay: Share = 0.999
    noise_bias: Positive = 1.0
    accumulation: Count = 1
    gradient_checkpointing: bool = False
    frozen_encoder: bool = False


class TrainingConfig(_Config):
    """A whole run.

    Attributes
    ----------
    out : Path
        Folder for checkpoints, logs and the finished pipeline.
    initial : Path or None
        A checkpoint whose parts the second stage starts from, its autoencoder included; then
        `model` is not used and there is no first stage.
    precision : {"no", "bf16", "fp16"}
        Accelerate's mixed precision.
    checkpoint_minutes, validation_minutes : float
        How often the state is saved and pictures are made.
    """

    out: Path
    seed: Natural = 0
    initial: Path | None = None
    precision: Literal["no", "bf16", "fp16"] = "bf16"
    checkpoint_minutes: Positive = 5.0
    validation_minutes: Positive = 10.0
    validation_pairs: Count = 16
    data: DataConfig
    model: ModelConfig = ModelConfig()
    vae: StageConfig = StageConfig()
    lifter: StageConfig = StageConfig()
    decoder: DecoderStageConfig = DecoderStageConfig()


def read_config(path: str | Path) -> TrainingConfig:
    """Read and check a TOML file.

    Raises
    ------
    UserError
        If the file is missing, is not TOML, or has unknown or ill-typed entries.
    """
    try:
        return TrainingConfig.model_validate(tomllib.loads(Path(path).read_text()))
    except FileNotFoundError:
        raise UserError(f"There is no training configuration {path}: check the name.") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): check the name.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML ({error}): correct it.") from None
    except ValidationError as error:
        raise UserError(f"{path}: {describe(error)}.") from None
