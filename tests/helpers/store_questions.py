"""What commands ask of MLflow's store."""

from pathlib import Path

from saltseg.tracking.ablations import AblationRecord, log_ablation
from saltseg.tracking.registry import champion, fetched_model
from saltseg.tracking.store import open_store, reached_store


def ask_for_champion(root: Path) -> None:
    with reached_store(root / "mlruns"):
        champion(open_store(root / "mlruns"))


def fetch_champion(root: Path) -> None:
    with fetched_model("models:/saltseg@champion", root):
        pass


def log_a_table(root: Path) -> None:
    log_ablation(root, AblationRecord("ablate", "| |", {}, {}, {}))
