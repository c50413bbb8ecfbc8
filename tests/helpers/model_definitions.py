"""Small definitions of every family, from the real params.yaml where it has one."""

from typing import Any

from pydantic import TypeAdapter

from saltseg.config.model_definitions import Input, ModelDefinition
from tests.conftest import shrunk_content

OWN = {"convolution": "own", "stride": "own", "pooling": "own"}
EVERYTHING = {
    "encoder": "resnet18",
    "stem": {"convolution": "3x3", "stride": "own", "pooling": "none"},
    "centre": "attention",
    "scse": True,
    "encoder_scse": True,
    "hypercolumn": "summed",
    "empty_head": True,
    "deep_supervision": True,
}


def define_input(**changes: object) -> dict[str, Any]:
    plain = {"fit": "none", "resized": 0, "size": 101, "offset": "centre", "channels": ["image"]}
    return plain | changes


PLACE1 = {
    "encoder": "resnet18",
    "stem": {"convolution": "3x3", "stride": "one", "pooling": "none"},
    "centre": "attention",
    "decoder": "fused",
    "decoder_channels": [16, 16, 16, 16],
    "scse": True,
    "encoder_scse": True,
    "hypercolumn": "concatenated",
    "head_channels": 8,
    "dropout": 0.4,
    "input": define_input(fit="resize", size=32),
}
"""The 1st place's ResNet-34 in small."""


def parse_input(**changes: object) -> Input:
    return Input.model_validate(define_input(**changes))


def define(content: dict[str, Any]) -> ModelDefinition:
    parsed: ModelDefinition = TypeAdapter(ModelDefinition).validate_python(content)
    return parsed


def define_unet(**changes: object) -> ModelDefinition:
    """The demo's U-Net, with random weights, five levels and a small input."""
    small = {
        "weights": "none",
        "decoder_channels": [32, 24, 16, 16, 16],
        "input": define_input(fit="resize", size=64),
    }
    return define(shrunk_content()["models"]["lite0"] | small | changes)


def define_class_unet(**changes: object) -> ModelDefinition:
    return define(shrunk_content()["models"]["class_unet"] | changes)


def define_pyramid(**changes: object) -> ModelDefinition:
    small = {"architecture": "pyramid", "filters": 16, "dilations": [2]}
    return define(small | {"input": define_input(fit="reflect", size=129)} | changes)


def define_plain_cnn(**changes: object) -> ModelDefinition:
    small = {"architecture": "plain_cnn", "filters": 4, "layers": 3}
    return define(small | {"input": define_input()} | changes)


ALL: dict[str, ModelDefinition] = {
    "lite0": define_unet(),
    "everything": define_unet(**EVERYTHING),
    "pyramid pooling": define_unet(centre="pyramid", empty_head=True),
    "class_unet": define_class_unet(),
    "class_resunet": define_class_unet(blocks="residual"),
    "capstone_unet": define_class_unet(input=define_input(fit="resize", size=128)),
    "capstone_resunet": define_class_unet(blocks="preactivated"),
    "plain_cnn": define_plain_cnn(),
    "place15": define_pyramid(dropout=0.1, deep_supervision=True),
    "place1 resnet": define_unet(**PLACE1),
    "place1 resnext": define_unet(
        decoder="transposed", decoder_channels=[16, 8, 8, 8, 8], scse=True, dropout=0.2
    ),
    "wide head": define_unet(hypercolumn="summed", head_channels=24, dropout=0.3),
    "place1": define_unet(input=define_input(fit="reflect", resized=96, size=128)),
    "place28": define_unet(
        input=define_input(
            fit="edge", size=128, offset="random", channels=["image", "depth", "row", "column"]
        )
    ),
}
