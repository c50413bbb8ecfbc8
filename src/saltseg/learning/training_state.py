"""The state of a training, and how it is saved and resumed."""

from dataclasses import asdict, dataclass, field

import torch

from saltseg.learning.checkpoint import Checkpoint
from saltseg.learning.history import EpochRecord, History, inner_validation_scores
from saltseg.learning.kept_epochs import KeptEpochs
from saltseg.learning.learner import Learner
from saltseg.learning.schedules import Score


@dataclass
class TrainingState:
    """Everything that changes in training, and thus everything that a checkpoint holds."""

    learner: Learner
    checkpoint: Checkpoint
    history: History = field(default_factory=list)
    kept: KeptEpochs = field(default_factory=KeptEpochs)
    losses: list[torch.Tensor] = field(default_factory=list)
    """Losses of the current epoch's batches so far; their number is the position in it."""

    def scores(self, phase: int) -> list[Score]:
        """Return the inner-validation score of each epoch of a phase."""
        return inner_validation_scores(self.history, phase)

    def save(self) -> None:
        """Save everything that `load` needs to resume from here."""
        losses = torch.stack(self.losses).cpu() if self.losses else torch.empty(0)
        content = {
            "history": [asdict(record) for record in self.history],
            "candidate": self.kept.candidate,
            "losses": losses,
            **self.learner.state(),
        }
        self.checkpoint.save(content, self.kept.weights)

    def save_if_due(self) -> None:
        """Save, unless the last save was recent."""
        if self.checkpoint.due():
            self.save()

    def load(self) -> bool:
        """Resume from a saved checkpoint; return whether there was one."""
        loaded = self.checkpoint.load()
        if loaded is None:
            return False
        content, weights = loaded
        self.learner.restore(content)
        self.history = [EpochRecord(**record) for record in content["history"]]
        self.kept = KeptEpochs(weights, content["candidate"])
        self.losses = list(content["losses"].to(self.learner.fabric.device))
        return True
