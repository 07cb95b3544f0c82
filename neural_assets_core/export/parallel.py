"""Batches over several processes, graphics cards or machines, through Ray, if it is installed.

Workers draw; reading scenes and writing files stays with the process that was called, so that
machines need share nothing but the program and its checkpoints.
"""

from __future__ import annotations

import logging
import math
import os
import secrets
import socket
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import lru_cache
from types import TracebackType
from typing import Any

from neural_assets_core import __version__
from neural_assets_core.decoders import Decoder, open_decoder
from neural_assets_core.errors import UserError
from neural_assets_core.export.batch import Job, Order, drawn
from neural_assets_core.export.stills import Still
from neural_assets_core.preferences import Preferences, load_preferences
from neural_assets_core.scene import GenerationSettings, Scene

STORE_BYTES = 256 * 2**20
"""Of scenes and pictures that are under way; what is more than that waits on the disk."""

AHEAD = 2
"""Scenes that a worker has been given at any time: the one that it draws, and the next."""

START_SECONDS = 180

_ENVIRONMENT = {
    # Nothing is reported to anybody.
    "RAY_USAGE_STATS_ENABLED": "0",
    # Cards stay visible to processes that ask for none: which one is used is not Ray's affair.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_ALONE = {
    # Ray's own switch for clusters where they are not usual: without it, only this machine can
    # reach its ports.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AUTH_MODE": "token",
}


class Workers:
    """Processes that draw, each with a decoder of its own; a `Drawing` for `run_batch`.

    A context: when it is left, all that was started is gone.

    Parameters
    ----------
    count : int, optional
        How many; by default as many as graphics cards, else as machines.
    address : str, optional
        Of a running Ray cluster, whose machines have the same version of this program; by
        default Ray is started on this machine, without a dashboard, reachable from here alone.
    preferences : Preferences, optional
        Device, precision and threads of every worker; by default the stored ones. With as many
        threads as a single process has, which is what this does unless they say another number,
        results are the same to the last bit.

    Raises
    ------
    UserError
        If Ray is not installed, cannot be reached, or has no room for so many workers.
    """

    def __init__(
        self,
        count: int | None = None,
        address: str | None = None,
        preferences: Preferences | None = None,
    ) -> None:
        if count is not None and count < 1:
            raise UserError(f"There must be at least one worker, not {count}.")
        if address is not None:
            _check_reachable(address)
        self._leaving = ExitStack()
        self._ray = _ray(alone=address is None)
        try:
            self._start(count, address)
            self._workers = self._hired(count, preferences or load_preferences())
        except BaseException:
            self._leaving.close()
            raise

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leaving.close()

    def __call__(self, orders: Iterable[Order]) -> Iterator[tuple[Order, Still | UserError]]:
        """Draw what is ordered, in whatever order it gets ready."""
        ray, waiting = self._ray, iter(orders)
        under_way: dict[Any, tuple[Any, Order]] = {}

        def hand_out(worker: Any) -> None:
            for task, scene in waiting:
                reference = worker.draw.remote(task.job, task.out.suffix, scene)
                under_way[reference] = (worker, (task, scene))
                return

        for _ in range(AHEAD):
            for worker in self._workers:
                hand_out(worker)
        while under_way:
            ready, _ = ray.wait(list(under_way))
            worker, order = under_way.pop(ready[0])
            try:
                result = ray.get(ready[0])
            except ray.exceptions.RayError as error:
                # Killed for its memory, say, or its machine is gone; Ray starts another one.
                reason = " ".join(str(getattr(error, "cause", None) or error).split())[:200]
                result = UserError(f"the worker that drew it failed ({reason}): start it again.")
            hand_out(worker)
            yield order, result

    def _start(self, count: int | None, address: str | None) -> None:
        ray = self._ray
        options: dict[str, Any] = {
            "log_to_driver": False,
            "logging_level": logging.ERROR,
            # Ray would give every worker one thread, and sums come out differently then.
            "runtime_env": {"env_vars": {**_ENVIRONMENT, "OMP_NUM_THREADS": _threads()}},
        }
        if address is None:
            folder = self._leaving.enter_context(
                # Short: sockets have their names in there.
                tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True)
            )
            options |= {
                "num_cpus": count or 1,
                "include_dashboard": False,
                "object_store_memory": STORE_BYTES,
                "_temp_dir": folder,
            }
        try:
            ray.init(address or "local", **options)
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(
                f"Ray cannot be started or reached ({reason}): check the address, or leave out "
                "--workers and --ray."
            ) from None
        self._leaving.callback(ray.shutdown)

    def _hired(self, count: int | None, preferences: Preferences) -> list[Any]:
        ray = self._ray
        cards = int(ray.cluster_resources().get("GPU", 0))
        count = count or cards or len([node for node in ray.nodes() if node["Alive"]])
        # Several workers may share a card, but no worker has parts of two.
        share = 1 / math.ceil(count / cards) if cards else 0
        kind = ray.remote(num_cpus=1, num_gpus=share, max_restarts=-1)(_Worker)
        workers = [kind.remote(preferences) for _ in range(count)]
        try:
            versions = set(ray.get([w.version.remote() for w in workers], timeout=START_SECONDS))
        except ray.exceptions.GetTimeoutError:
            raise UserError(
                f"Ray has no room for {count} workers: ask for fewer with --workers."
            ) from None
        except ray.exceptions.RayError as error:
            reason = " ".join(str(getattr(error, "cause", None) or error).split())[-200:]
            raise UserError(
                f"A worker cannot start ({reason}): install this program on every machine."
            ) from None
        if versions != {__version__}:
            raise UserError(
                f"The workers have other versions ({', '.join(sorted(versions))}) than this "
                f"program ({__version__}): install the same one on every machine."
            )
        return workers


class _Worker:
    """What runs in each process."""

    def __init__(self, preferences: Preferences) -> None:
        @lru_cache(maxsize=1)
        def opened(decoder: str, checkpoint: str) -> Decoder:
            settings = {"decoder": decoder, "checkpoint": checkpoint}
            return open_decoder(GenerationSettings.model_validate(settings), preferences)

        self._opened = opened

    def version(self) -> str:
        return __version__

    def draw(self, job: Job, suffix: str, scene: Scene) -> Still | UserError:
        return drawn(job, suffix, scene, self._decoder_of)

    def _decoder_of(self, scene: Scene) -> Decoder:
        return self._opened(scene.settings.decoder, scene.settings.checkpoint)


def _ray(alone: bool) -> Any:
    os.environ.update(_ENVIRONMENT | (_ALONE if alone else {}))
    if alone:
        # Otherwise Ray leaves one in the user's home.
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray
    except ImportError as error:
        raise UserError(
            f"Several workers need the package ray ({error}): install it with `pip install ray`, "
            "or leave out --workers and --ray."
        ) from None
    return ray


def _check_reachable(address: str) -> None:
    """Say at once that nobody listens there: Ray goes on trying for many minutes.

    Raises
    ------
    UserError
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdigit()):
        if address == "auto":
            return
        raise UserError(f"--ray takes HOST:PORT, or auto for this machine's, not {address!r}.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise UserError(
            f"No Ray cluster answers at {address} ({error}): start one with `ray start --head`, "
            "or check the address."
        ) from None


def _threads() -> str:
    """As many as the libraries take in this process."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return os.environ.get("OMP_NUM_THREADS") or str(count or 1)
