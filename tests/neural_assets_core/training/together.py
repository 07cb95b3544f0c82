"""What each process of `test_processes` runs: all stages, sharded weights, and a killed run.

Accelerate shards weights on GPUs only; torch does on processors as well. The process group is
real (gloo), and so is everything after the one line that says which kind of machine this is.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from accelerate import PartialState
from accelerate.state import AcceleratorState, GradientState
from accelerate.utils import DistributedType

from neural_assets_core.training import lifting_stage
from neural_assets_core.training.config import TrainingConfig
from neural_assets_core.training.run import run_training

SHARDED = {
    "ACCELERATE_USE_FSDP": "true",
    "FSDP_VERSION": "2",
    "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
    "FSDP_CPU_RAM_EFFICIENT_LOADING": "true",
}
"""What `accelerate launch --use_fsdp --fsdp_version 2 ...` hands to its processes."""


def main(config: TrainingConfig) -> None:
    """Leaves the folders `whole`, `parts`, `sharded` and `resumed` beside each other."""
    lifting_stage.HELDOUT_PAIRS = 8
    run_training(_into(config, "whole").model_copy(update={"checkpoint_minutes": 1.0}))
    for stage in ("vae", "lifter"):
        run_training(_into(config, "parts").model_copy(update={"initial": None}), stage=stage)
    os.environ.update(SHARDED)
    _new_start()
    PartialState(cpu=True).distributed_type = DistributedType.MULTI_XPU
    sharded = _into(config, "sharded")
    run_training(sharded)
    resumed = _into(config, "resumed")
    if PartialState().is_main_process:
        # Killed after its first step.
        shutil.copytree(sharded.out, resumed.out)
        shutil.rmtree(resumed.out / "decoder-training" / "checkpoint-2")
        shutil.rmtree(resumed.out / "pipeline")
    PartialState().wait_for_everyone()
    run_training(resumed, resume=True)


def _into(config: TrainingConfig, name: str) -> TrainingConfig:
    return config.model_copy(update={"out": config.out / name})


def _new_start() -> None:
    # As in new processes, but that the group of processes stays.
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()


if __name__ == "__main__":
    main(TrainingConfig.model_validate_json(Path(sys.argv[1]).read_text()))
