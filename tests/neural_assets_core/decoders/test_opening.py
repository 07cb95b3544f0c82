"""Opening decoders from several threads at once, before anything has been imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from neural_assets_core.model.pipeline import NeuralAssetsPipeline

_TOGETHER = """
import sys
from concurrent.futures import ThreadPoolExecutor

from neural_assets_core.decoders import open_decoder
from neural_assets_core.decoders.libraries import load_libraries, load_without_lock
from neural_assets_core.scene import GenerationSettings

load_libraries()
load_without_lock("openvino", "libs/libopenvino.so*")
load_without_lock("no_such_package", "*")
assert not {"torch", "diffusers", "openvino"} & set(sys.modules)
if sys.platform == "linux":
    with open("/proc/self/maps") as maps:
        mapped = maps.read()
    assert "libtorch_cpu" in mapped
    assert "libopenvino.so" in mapped
settings = [
    GenerationSettings(decoder=name, checkpoint=sys.argv[1]) for name in ("neural", "proxy")
]
with ThreadPoolExecutor(2) as threads:
    print(*[type(decoder).__name__ for decoder in threads.map(open_decoder, settings)])
"""


def test_two_threads_may_open_decoders_at_once(
    tiny_pipeline: NeuralAssetsPipeline, tmp_path: Path
) -> None:
    tiny_pipeline.save_pretrained(str(tmp_path))
    ended = subprocess.run(
        [sys.executable, "-c", _TOGETHER, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["NeuralDecoder", "ProxyDecoder"]
