"""Loading and augmenting crops beside a DataLoader that opens PNGs through PIL each epoch."""

from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from benchmarks.side_by_side import Row, compare
from benchmarks.smooth_crops import images, probabilities_and_truths
from saltseg.learning.augmentation import create_augmentation
from saltseg.learning.batches import AugmentedBatches, load_batches
from saltseg.learning.training_sets import LabelledCrops

CROPS = 512
BATCH = 32


class PngCrops(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Crops as Kaggle hands them out, opened and augmented one by one."""

    def __init__(self, folder: Path, preset: str) -> None:
        self.folder = folder
        self.transforms = create_augmentation(preset)

    def __len__(self) -> int:
        return CROPS

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        image = np.array(Image.open(self.folder / f"image{index}.png").convert("L"))
        mask = np.asarray(Image.open(self.folder / f"mask{index}.png")) > 0
        changed = self.transforms(image=image, mask=mask.astype(np.uint8))
        return torch.from_numpy(changed["image"]), torch.from_numpy(changed["mask"])


def rows() -> list[Row]:
    """Measure one core: no worker processes, no threads."""
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    pixels, masks = images(CROPS), probabilities_and_truths(CROPS)[1]
    crops = LabelledCrops(pixels, masks, np.zeros(CROPS, np.float32))
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_pngs(folder, pixels, masks)
        return [row for preset in ("light", "strong") for row in preset_rows(preset, crops, folder)]


def preset_rows(preset: str, crops: LabelledCrops, folder: Path) -> list[Row]:
    batches = AugmentedBatches(crops, BATCH, preset, seed=0)
    loader = DataLoader(PngCrops(folder, preset), batch_size=BATCH, shuffle=True)
    beside = "PNG by PIL, the same albumentations, DataLoader"
    return compare(
        f"an epoch of {CROPS} crops, augmentation `{preset}`, one core",
        lambda: list(load_batches(batches, range(1), 0)),
        {beside: lambda: list(loader)},
        {beside: 3},
    )


def write_pngs(folder: Path, pixels: np.ndarray, masks: np.ndarray) -> None:
    """Write images in RGB and masks in 16 bits, as Kaggle does."""
    for index, (image, mask) in enumerate(zip(pixels, masks, strict=True)):
        Image.fromarray(np.stack([image] * 3, axis=-1)).save(folder / f"image{index}.png")
        Image.fromarray(mask.astype(np.uint16) * 65535).save(folder / f"mask{index}.png")
