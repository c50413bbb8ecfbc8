"""The cost of a trial: seconds of training, and parameters of its networks."""

from collections.abc import Sequence
from pathlib import Path

from saltseg.ablation.trials import Outcome
from saltseg.config.params import Params
from saltseg.learning.costs import network_size
from saltseg.project.run_files import files_of_commit
from saltseg.tracking.durations import Durations

_TRAININGS = ("pseudolabel", "train-per-fold")


class Costs:
    """The costs of a project's trials."""

    def __init__(self, root: Path) -> None:
        """Read from MLflow how long stages took."""
        self.root = root
        self.durations = Durations(root, _TRAININGS)

    def seconds(self, outcomes: Sequence[Outcome]) -> float | None:
        """Return how long teachers and members trained, mean over the seeds.

        A training restored from DVC's cache counts with its original duration. None if MLflow does
        not have all durations.
        """
        known = [
            self.durations.of(
                files_of_commit(self.root, each.experiment.revision),
                each.trial.params.model_dump(mode="json"),
            )
            for each in outcomes
        ]
        total = [each for each in known if each is not None]
        return sum(total) / len(total) if len(total) == len(known) else None

    def parameters(self, params: Params) -> int:
        """Return the total number of weights of an ensemble's members."""
        members = params.train_per_fold.members
        return sum(network_size(params.models[member])[0] for member in members)
