"""Phases as params.yaml held them before, all fields side by side, and how to write them now."""

from collections.abc import Mapping
from typing import Any

import yaml

_PLATEAU = ("patience", "factor", "stop_patience")


def is_old(phase: Mapping[str, Any]) -> bool:
    """Tell whether a phase names its schedule, or leaves it out, instead of describing it."""
    named = isinstance(phase.get("schedule", "cosine"), str)
    return named and bool({"cycles", "snapshots", "final_learning_rate"} & phase.keys())


def rewrite_old(phase: Mapping[str, Any]) -> dict[str, Any]:
    """Return the phase as it is written now; fields that had no effect are left out."""
    new = {"data": _data(phase), "loss": phase.get("loss", {}), "schedule": _schedule(phase)}
    averaging = phase.get("averaging", "none")
    if averaging == "ema":
        averaging = {"ema": {"decay": phase.get("averaging_decay", 0.999)}}
    return {**new, "averaging": averaging, "keep": _keep(phase)}


def write_flow(content: Mapping[str, Any]) -> str:
    """Write `content` as YAML on one line."""
    text: str = yaml.safe_dump(
        dict(content), default_flow_style=True, sort_keys=False, width=float("inf")
    )
    return text.strip()


def _data(phase: Mapping[str, Any]) -> object:
    data = phase.get("data", "train")
    return {"mixed": {"share": phase.get("pseudolabel_share", 0.5)}} if data == "mixed" else data


def _schedule(phase: Mapping[str, Any]) -> dict[str, Any]:
    name = phase.get("schedule", "cosine")
    fields = ["cycles", "epochs", "learning_rate", "final_learning_rate"]
    if name == "cosine" and phase.get("learning_rate") == phase.get("final_learning_rate"):
        name = "constant"
        fields.remove("final_learning_rate")
    if name == "plateau":
        fields = [*fields[1:], *_PLATEAU]
    return {name: {field: phase[field] for field in fields if field in phase}}


def _keep(phase: Mapping[str, Any]) -> object:
    if not phase.get("snapshots", False):
        return "none"
    for name in ("last", "best"):
        if phase.get(f"keep_{name}"):
            return {name: phase[f"keep_{name}"]}
    return "cycle_ends"
