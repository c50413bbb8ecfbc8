"""Random changes to training crops; the only module that knows albumentations."""

import os
from typing import Any

# Without this the import asks a server on the internet for a newer version.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations
import cv2
import numpy as np
import numpy.typing as npt


def create_augmentation(preset: str) -> albumentations.Compose:
    """Return the transforms of a preset, for uint8 images and masks of one size.

    `flip`: mirror left and right (salt domes stand upright: up and down hurts).
    `light`: and move by up to 10%, scale by up to 10%, change brightness and contrast by 15%.
    `strong`: the first place's: move by up to 16%, scale by .4 to 1.6, and grey values by 20%.
    """
    flip = albumentations.HorizontalFlip(p=0.5)
    presets: dict[str, list[albumentations.BasicTransform]] = {
        "none": [],
        "flip": [flip],
        "light": [flip, _move(0.1, (0.9, 1.1), p=0.5), _grey(0.15, p=0.3)],
        "strong": [flip, _move(0.1625, (0.4, 1.6), p=0.7), _grey(0.2, p=0.3)],
    }
    return albumentations.Compose(presets[preset], seed=0)


def _move(shift: float, scale: tuple[float, float], p: float) -> albumentations.BasicTransform:
    return albumentations.Affine(
        translate_percent=(-shift, shift),
        scale=scale,
        border_mode=cv2.BORDER_REFLECT_101,
        p=p,
    )


def _grey(limit: float, p: float) -> albumentations.BasicTransform:
    return albumentations.RandomBrightnessContrast(limit, limit, p=p)


def augment(
    transforms: albumentations.Compose,
    images: npt.NDArray[np.uint8],
    masks: npt.NDArray[np.bool_],
    seed: int,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Change a batch of crops, images (n, h, w) with their masks, by draws from `seed` alone."""
    transforms.set_random_seed(seed % 2**32)
    changed: list[dict[str, Any]] = [
        transforms(image=image, mask=mask.view(np.uint8))
        for image, mask in zip(images, masks, strict=True)
    ]
    return (
        np.stack([crop["image"] for crop in changed]),
        np.stack([crop["mask"] for crop in changed]),
    )
