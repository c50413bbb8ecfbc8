"""Predict with another runtime, once per line on standard input; run by parts/prediction.py.

python benchmarks/peer_prediction.py onnxruntime|openvino FOLDER THREADS
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

BATCH = 64
SIDE = 101
Network = Callable[[np.ndarray], np.ndarray]


def with_onnxruntime(path: str, threads: int) -> Network:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda inputs: np.asarray(session.run(None, {"inputs": inputs})[0])


def with_openvino(path: str, threads: int) -> Network:
    import openvino  # type: ignore[import-not-found]

    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.Core().compile_model(path, "CPU", settings)
    return lambda inputs: np.asarray(compiled([inputs])[0])


def probabilities(network: Network, upright: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """Return the flip average of padded crops and their mirror images, float32 (n, 101, 101)."""
    first = (upright.shape[-1] - SIDE) // 2
    inner = slice(first, first + SIDE)
    logits = network(upright)[:, 0, inner, inner], network(mirrored)[:, 0, inner, inner]
    return (1 / (1 + np.exp(-logits[0])) + 1 / (1 + np.exp(-logits[1][..., ::-1]))) / 2


def main(name: str, folder: Path, threads: int) -> None:
    make = {"onnxruntime": with_onnxruntime, "openvino": with_openvino}[name]
    network = make(str(folder / "network.onnx"), threads)
    inputs = [np.load(folder / f"{view}.npy") for view in ("upright", "mirrored")]
    starts = range(0, len(inputs[0]), BATCH)
    parts = [[view[start : start + BATCH] for view in inputs] for start in starts]
    for _ in sys.stdin:
        found = np.concatenate([probabilities(network, *part) for part in parts])
        print("done", flush=True)
    np.save(folder / f"{name}.npy", found)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
