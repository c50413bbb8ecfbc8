"""Writing a trained model as one ONNX file, checked before it is there.

One graph holds the whole ensemble: what was scored is the mean over its networks, and one file and
one call give it. Threshold and component sizes are in the file's metadata; cleaning components is
no operation of ONNX.
"""

import logging
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from saltseg import __version__
from saltseg.config.params import load_params
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.outputs import protected_outputs
from saltseg.project.model_folder import find_model, read_settings
from saltseg.serving.depths import reads_depth
from saltseg.serving.image_prediction import fetched
from saltseg.serving.onnx_check import Agreement, checked_agreement
from saltseg.serving.onnx_network import PipelineNetwork, pipeline_network

LARGEST = 1_900_000_000
"""Bytes of weights that fit into one file; protobuf ends at 2 GiB."""

_SETTINGS = ("threshold", "salt_size", "hole_size", "code")


def export_onnx(model: str, out: Path, root: Path, force: bool = False) -> Agreement:
    """Write a model to the file `out`; return how well it agrees with the model.

    Its input `images` is uint8 (n, 101, 101), for models that read it `depth` float32 (n,) in feet;
    its output `probabilities` is float32 (n, 101, 101). Weights that are too large for one file
    are beside it, in a file of the same name with .data after it.
    model, root: as for load. force: replace what an earlier call wrote.
    Raises InputError where a file would be lost or cannot be written, onnx is not installed, there
    is no such model, or the graph finds other salt than the model; nothing is written then.
    """
    _check(out)
    names = [f"{out.name}.data", out.name]  # the weights first: the graph names them
    with protected_outputs(out.parent, names, force) as outputs, fetched(model, root) as folder:
        found = find_model(folder)
        layout = Layout(found)
        params = load_params(layout.params)
        network = pipeline_network(layout, params)
        made = outputs.staging / out.name
        try:
            _save(network, reads_depth(params), _metadata(found), made)
            agreement = checked_agreement(made, found, reads_depth(params))
            outputs.place(*names)
        except OSError as error:
            raise InputError(
                f"{out}: cannot be written: {error.strerror}; choose another"
            ) from error
    return agreement


def _check(out: Path) -> None:
    if out.suffix != ".onnx":
        raise InputError(f"{out}: is no name of an ONNX file; end it in .onnx")
    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise InputError(
            f"{missing[0]}: is not installed, and the export needs it; run {sys.executable} -m pip"
            " install onnx onnxscript onnxruntime"
        )


def _metadata(model: Path) -> dict[str, str]:
    settings = read_settings(model, *_SETTINGS)
    return {name: str(settings[name]) for name in _SETTINGS} | {"saltseg": __version__}


def _save(network: PipelineNetwork, deep: bool, metadata: dict[str, str], path: Path) -> None:
    """Write the graph. deep: whether `depth` is an input too."""
    # More crops than one: torch takes a size of 1 for a constant.
    images, crops = torch.zeros(2, 101, 101, dtype=torch.uint8), torch.export.Dim("crops")
    inputs = {"images": images} | ({"depth": torch.zeros(2)} if deep else {})
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        # By itself torch.onnx.export would fall back to a fixed number of crops, silently.
        traced = torch.export.export(
            network,
            tuple(inputs.values()),
            dynamic_shapes=tuple({0: crops} for _ in inputs),
        )
        program: Any = torch.onnx.export(
            traced,
            input_names=[*inputs],
            output_names=["probabilities"],
            dynamic_shapes=tuple({0: crops} for _ in inputs),
            dynamo=True,
            verbose=False,
        )
    graph = program.model.graph
    # Where each operation came from, with paths of this machine.
    for place in (graph, *graph.all_nodes(), *graph.initializers.values()):
        place.metadata_props.clear()
    program.model.metadata_props.update(metadata)
    size = sum(each.numel() * each.element_size() for each in network.parameters())
    program.save(path, external_data=size > LARGEST)
