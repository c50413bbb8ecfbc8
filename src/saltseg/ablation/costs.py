"""The cost of a trial: operations and seconds of training, and parameters of its networks."""

from collections.abc import Sequence
from pathlib import Path

from saltseg.ablation.trials import Outcome
from saltseg.config.crop_counts import CropCounts
from saltseg.config.params import Params
from saltseg.learning.costs import Cost, recipe_costs
from saltseg.project.run_files import files_of_commit
from saltseg.tracking.durations import Durations

_TRAININGS = ("pseudolabel", "train-per-fold")


class Costs:
    """The costs of a project's trials."""

    def __init__(self, root: Path, crops: CropCounts) -> None:
        """Read from MLflow how long stages took; crops: that operations are counted for."""
        self.root = root
        self.crops = crops
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

    def networks(self, params: Params) -> list[Cost]:
        """Return what training the teachers and each of the members costs."""
        return recipe_costs(params, self.crops.train, self.crops.pseudolabels)
