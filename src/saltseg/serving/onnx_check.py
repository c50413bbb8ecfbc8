"""Whether a model as ONNX finds the salt that the model finds."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from saltseg.config.model_definitions import CROP
from saltseg.config.yaml_content import read_yaml
from saltseg.inference.tiles import to_eight_bits
from saltseg.plumbing.errors import InputError
from saltseg.plumbing.files import write_text
from saltseg.plumbing.layout import Layout
from saltseg.plumbing.modules import PACKAGE
from saltseg.project.model_folder import own_code
from saltseg.scoring.components import clean
from saltseg.scoring.metric import salt_masks
from saltseg.serving.loaded_model import load
from saltseg.serving.salt_model import Prediction
from saltseg.survey.sections import make_section

MOST_APART = 1e-3
"""Largest difference of a probability, and largest share of a mask's pixels that may differ."""


@dataclass(frozen=True)
class Agreement:
    """How two predictions of crops differ: the largest probability difference, and mask pixels."""

    apart: float
    differing: int
    pixels: int

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"masks differ from the model's in {self.differing:,} of {self.pixels:,}"
            f" pixels, probabilities by {self.apart:.1e} at most"
        )

    @property
    def is_close(self) -> bool:
        """Whether rounding explains the difference."""
        return self.apart <= MOST_APART and self.differing <= MOST_APART * self.pixels


def checked_agreement(graph: Path, model: Path, deep: bool) -> Agreement:
    """Compare an ONNX file with the model it was made from, on crops of a synthetic section.

    model: as find_model returns it. deep: whether it reads depths. The model predicts in float32
    with its own code. Raises InputError where the two find other salt.
    """
    crops = section_crops()
    depth = np.linspace(100, 900, len(crops)).astype(np.float32) if deep else None
    known = _by_model(model, crops, depth)
    found = by_onnxruntime(graph, crops, depth)
    apart = float(np.abs(found.probabilities - known.probabilities).max())
    differing = int((found.masks != known.masks).sum())
    agreement = Agreement(apart, differing, known.masks.size)
    if not agreement.is_close:
        raise InputError(
            f"{model}: was not exported, because its graph finds other salt ({agreement}); report"
            " it with the params.yaml of the model"
        )
    return agreement


def section_crops() -> npt.NDArray[np.uint8]:
    """Return the 25 whole crops of a synthetic section: uint8 (25, 101, 101)."""
    amplitude = make_section(2018, 0).amplitude
    starts = range(0, min(amplitude.shape) - CROP + 1, CROP)
    crops = [amplitude[row : row + CROP, left : left + CROP] for row in starts for left in starts]
    return np.stack([to_eight_bits(crop) for crop in crops])


def by_onnxruntime(
    graph: Path, crops: npt.NDArray[np.uint8], depth: npt.NDArray[np.float32] | None
) -> Prediction:
    """Predict crops with an ONNX file, on the CPU, and clean as its metadata says."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    inputs: dict[str, Any] = {"images": crops} | ({} if depth is None else {"depth": depth})
    (probabilities,) = session.run(None, inputs)
    said = session.get_modelmeta().custom_metadata_map
    masks = salt_masks(probabilities.astype(np.float16), float(said["threshold"]))
    return Prediction(probabilities, clean(masks, int(said["salt_size"]), int(said["hole_size"])))


def _by_model(
    model: Path, crops: npt.NDArray[np.uint8], depth: npt.NDArray[np.float32] | None
) -> Prediction:
    """Predict in float32, which a copy of the model's parameters asks for."""
    with TemporaryDirectory(prefix="saltseg-model-") as folder:
        copy = Path(folder) / "model"
        shutil.copytree(model, copy, copy_function=_link)
        code = own_code(model)
        if code is not None:
            shutil.copytree(code / PACKAGE.name, Path(folder) / "code" / PACKAGE.name)
        content: Any = read_yaml(Layout(copy).params)
        content["runtime"] |= {"precision": "float32", "accelerator": "cpu"}
        write_text(Layout(copy).params, yaml.safe_dump(content, sort_keys=False))
        return load(copy).predict(crops, depth)


def _link(source: str, target: str) -> None:
    Path(target).symlink_to(Path(source).resolve())
