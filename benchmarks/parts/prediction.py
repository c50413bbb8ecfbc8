"""Prediction with flip averaging, against PyTorch's defaults and two inference runtimes."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from benchmarks.parts.networks import (
    PlainNetwork,
    cropped,
    default_network,
    default_params,
    padded,
    plain_defaults,
)
from benchmarks.peers import peer_packages, peer_python
from benchmarks.side_by_side import ROOT, Row, Work, fact_row, in_turn, ratio_row
from benchmarks.smooth_crops import images
from saltseg.inference.predictor import BATCH, predict_all
from saltseg.models.devices import create_fabric
from saltseg.models.fast.folding import fold_snapshots

CROPS = 256
REPEATS = 5
PEERS = ("onnxruntime", "openvino")
PLAIN = "PyTorch's defaults: float32, its own layout"
EXACT = "saltseg in float32"


def rows() -> list[Row]:
    """Measure all in turn, and how far their probabilities lie apart."""
    params = default_params()
    crops = images(CROPS)
    fabric = create_fabric(params.runtime)
    network = default_network()
    upright = padded(network, torch.from_numpy(crops))
    mirrored = padded(network, torch.from_numpy(crops).flip(-1))
    plain = PlainNetwork()
    normalise(plain, upright)
    network.body.load_state_dict(plain.body.state_dict())
    folded, _ = fold_snapshots(network, [network.state_dict()])
    folded = folded.to(memory_format=torch.channels_last)
    exact = create_fabric(params.runtime.model_copy(update={"precision": "float32"}))
    set_up, set_up_exact = fabric.setup(folded), exact.setup(folded)
    depths = np.zeros(CROPS, np.float32)

    def ours() -> np.ndarray:
        return predict_all(set_up, crops, depths, fabric, flip=True)

    def ours_exact() -> np.ndarray:
        return predict_all(set_up_exact, crops, depths, exact, flip=True)

    def theirs() -> np.ndarray:
        with torch.no_grad(), plain_defaults():
            one, other = (
                torch.cat([cropped(network, plain(part)).sigmoid() for part in view.split(BATCH)])
                for view in (upright, mirrored)
            )
            return ((one + other.flip(-1)) / 2).numpy()

    with TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "upright.npy", upright.numpy())
        np.save(folder / "mirrored.npy", mirrored.numpy())
        export(plain, upright[:BATCH], folder / "network.onnx")
        with Peer("onnxruntime", folder) as one, Peer("openvino", folder) as other:
            works: dict[str, Work] = {"": ours, EXACT: ours_exact, PLAIN: theirs}
            works |= {PEERS[0]: one.run, PEERS[1]: other.run}
            times = in_turn(works, REPEATS)
        right = theirs()
        apart = {"saltseg": ours(), EXACT: ours_exact()}
        apart |= {peer: np.load(folder / f"{peer}.npy") for peer in PEERS}
    work = f"prediction of {CROPS} crops with flip average, {torch.get_num_threads()} threads"
    return [
        *[
            ratio_row(work, name, times[""], times[name], 3 if name == PLAIN else None)
            for name in (PLAIN, *PEERS)
        ],
        *[
            ratio_row(f"the same by {EXACT}", name, times[EXACT], times[name], None)
            for name in (PLAIN, *PEERS)
        ],
        fact_row("number format of saltseg's prediction", fabric.strategy.precision.precision),
        *[
            fact_row(f"largest difference of {name} from {PLAIN}", f"{difference(a, right):.1e}")
            for name, a in apart.items()
        ],
    ]


def normalise(network: PlainNetwork, inputs: torch.Tensor) -> None:
    """Let the batch normalisation of a network that nobody trained know what it sees.

    Otherwise its logits are in the hundreds, and differ between number formats as none should.
    """
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # the mean of all that it sees
            module.reset_running_stats()
    with torch.no_grad():
        for part in inputs.split(BATCH):
            network.train()(part)
    network.eval()


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max())


def export(network: PlainNetwork, inputs: torch.Tensor, path: Path) -> None:
    """Write the network in the form that other runtimes read."""
    sys.path.append(str(peer_packages()))  # the export asks for the package onnx
    torch.onnx.export(
        network,
        (inputs,),
        str(path),
        input_names=["inputs"],
        output_names=["logits"],
        dynamo=False,
    )


class Peer:
    """A process of the peers' environment that predicts when it is asked to."""

    def __init__(self, name: str, folder: Path) -> None:
        script = ROOT / "benchmarks" / "peer_prediction.py"
        command = [str(peer_python()), str(script), name, str(folder), str(torch.get_num_threads())]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self) -> None:
        """Predict all crops once."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("predict\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()
