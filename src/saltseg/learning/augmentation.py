"""Augmentation of training crops; the only module that imports albumentations."""

import math
import os
from typing import Any, Self, TypeAlias

# Otherwise the import checks a server for a newer version.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations
import cv2
import numpy as np
import numpy.typing as npt

from saltseg.config.model_definitions import CROP

Transform: TypeAlias = albumentations.BasicTransform | albumentations.OneOf


def create_augmentation(preset: str) -> albumentations.Compose:
    """Return the transforms of a preset, for uint8 images and masks of one size.

    `flip`: horizontal flip, as the 4th place used (a vertical flip hurts: salt domes stand
    upright).
    `light`: flip; shift by up to 10%; scale width and height independently by up to 10%; change
    brightness and contrast by up to 15%.
    `strong`: the shift and scale of `place1_shift`, with brightness and contrast changed together.
    `place1_shift`: from the 1st place: flip, shift by up to 16%, scale by 0.4 to 1.6, change
    brightness and contrast by up to 20%.
    `place1_shear`: the 1st place's other preset: flip; crop by up to 20%, shear by up to 0.07, or
    rotate by up to 15 degrees; add up to 10% to the grey values or multiply them by 0.92 to 1.08;
    each of the three with probability 0.5, as published.
    `place2`: from the 2nd place: flip, shift by up to 20 px, scale the width by 0.85 to 1.15.
    `place9`: from the 9th place: flip, grid distortion by up to 15% of a cell, 30 x 30 px cutout.
    The probabilities are unknown; 0.5 each here.
    `place15`: from the 15th place: flip; shift by up to 20 px; enlarge a square of 64% to 100% of
    the area; each with probability 0.5, as published.
    """
    flip = albumentations.HorizontalFlip(p=0.5)
    presets: dict[str, list[Transform]] = {
        "none": [],
        "flip": [flip],
        "light": [flip, _move(0.1, (0.9, 1.1), p=0.5, keep_ratio=False), _grey(0.15, p=0.3)],
        "strong": [flip, _place1_move(), _grey(0.2, p=0.3)],
        "place1_shift": [flip, *_place1_shift()],
        "place1_shear": [flip, *_place1_shear()],
        "place2": [flip, _stretch(20, (0.85, 1.15))],
        "place9": [flip, _distort(0.15, p=0.5), _Cutout.square(30, p=0.5)],
        "place15": [flip, _stretch(20, (1, 1), p=0.5), _enlarge(0.64, p=0.5)],
    }
    return albumentations.Compose(presets[preset], seed=0)


def _place1_shift() -> list[Transform]:
    return [
        albumentations.RandomBrightnessContrast(0.2, 0, p=0.2),
        albumentations.RandomBrightnessContrast(0, 0.2, p=0.1),
        _place1_move(),
    ]


def _place1_move() -> Transform:
    return _move(0.1625, (0.4, 1.6), p=0.7, keep_ratio=True)


def _place1_shear() -> list[Transform]:
    # A tenth off each of two opposite sides is a fifth of the width or height.
    crop = albumentations.CropAndPad(percent=(-0.1, 0), p=1)
    angle = math.degrees(math.atan(0.07))
    shear = {"x": (-angle, angle), "y": (0, 0)}
    # OneOf weighs its transforms by their own p, equal here.
    sheared = albumentations.Affine(shear=shear, border_mode=cv2.BORDER_REFLECT_101, p=1)
    rotated = albumentations.Affine(rotate=(0, 15), border_mode=cv2.BORDER_REFLECT_101, p=1)
    added = albumentations.RandomBrightnessContrast(0.1, 0)
    multiplied = albumentations.MultiplicativeNoise((0.92, 1.08))
    return [
        albumentations.OneOf([crop, sheared, rotated], p=0.5),
        albumentations.OneOf([added, multiplied], p=0.5),
    ]


def _stretch(shift: int, width: tuple[float, float], p: float = 1) -> Transform:
    return albumentations.Affine(
        translate_px=(-shift, shift),
        scale={"x": width, "y": (1, 1)},
        border_mode=cv2.BORDER_REFLECT_101,
        p=p,
    )


def _enlarge(area: float, p: float) -> Transform:
    return albumentations.RandomResizedCrop((CROP, CROP), scale=(area, 1), ratio=(1, 1), p=p)


def _distort(share: float, p: float) -> Transform:
    return albumentations.GridDistortion(
        10, (-share, share), border_mode=cv2.BORDER_REFLECT_101, p=p
    )


class _Cutout(albumentations.CoarseDropout):
    """Cut a hole into the image but not the mask; it never covers more than half of the salt."""

    @classmethod
    def square(cls, side: int, p: float) -> Self:
        """Return a transform that blacks out one square of `side` pixels."""
        return cls((1, 1), (side, side), (side, side), fill=0, p=p)

    def get_params_dependent_on_data(
        self, params: dict[str, Any], data: dict[str, Any]
    ) -> dict[str, Any]:
        """Draw the hole; drop it if it would cover too much salt."""
        drawn: dict[str, Any] = super().get_params_dependent_on_data(params, data)
        left, top, right, bottom = drawn["holes"][0]
        salt = data["mask"] > 127
        if 2 * np.count_nonzero(salt[top:bottom, left:right]) > np.count_nonzero(salt):
            drawn["holes"] = drawn["holes"][:0]
        return drawn


def _move(shift: float, scale: tuple[float, float], p: float, keep_ratio: bool) -> Transform:
    return albumentations.Affine(
        translate_percent=(-shift, shift),
        scale=scale,
        keep_ratio=keep_ratio,
        border_mode=cv2.BORDER_REFLECT_101,
        p=p,
    )


def _grey(limit: float, p: float) -> Transform:
    return albumentations.RandomBrightnessContrast(limit, limit, p=p)


def augment(
    transforms: albumentations.Compose,
    images: npt.NDArray[np.uint8],
    masks: npt.NDArray[np.uint8],
    seed: int,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Augment a batch of images and masks, both (n, h, w); `seed` alone decides the draws.

    In masks, 255 is salt. Values in between are probabilities; they are never interpolated.
    """
    transforms.set_random_seed(seed % 2**32)
    changed: list[dict[str, Any]] = [
        transforms(image=image, mask=mask) for image, mask in zip(images, masks, strict=True)
    ]
    return (
        np.stack([crop["image"] for crop in changed]),
        np.stack([crop["mask"] for crop in changed]),
    )
