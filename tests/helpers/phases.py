"""Phases for tests, written as params.yaml writes them."""

from typing import Any

from saltseg.config.phases import Phase


def make_phase(
    schedule: str = "cosine",
    data: str | dict[str, Any] = "train",
    keep: str | dict[str, int] = "cycle_ends",
    averaging: str | dict[str, Any] = "none",
    loss: dict[str, float] | None = None,
    size: int | None = None,
    **settings: float,
) -> Phase:
    """Return a phase of one cycle of one epoch, from 0.1 down to a hundredth, but for `settings`.

    settings: of the schedule. size: of the input, without resizing.
    """
    return Phase.model_validate(
        {
            "data": data,
            "loss": loss or {"bce": 1.0},
            "schedule": write_schedule(schedule, **settings),
            "averaging": averaging,
            "keep": keep,
            "input": None if size is None else {"resized": 0, "size": size},
        }
    )


def write_schedule(name: str, **settings: float) -> dict[str, dict[str, float]]:
    """Return a schedule as params.yaml writes it; see make_phase."""
    rate = settings.get("learning_rate", 0.1)
    known = {"cycles": 1, "epochs": 1, "learning_rate": rate, "final_learning_rate": rate / 100}
    unknown = {"plateau": ["cycles"], "constant": ["final_learning_rate"]}.get(name, [])
    return {name: {key: v for key, v in known.items() if key not in unknown} | settings}


def set_epochs(content: dict[str, Any], epochs: int, *sections: str) -> None:
    """Give each cycle of all phases of `sections` so many epochs."""
    for section in sections:
        for phase in content[section]["phases"]:
            (settings,) = phase["schedule"].values()
            settings["epochs"] = epochs
