"""How far a training has come, and how that is saved and found again."""

from dataclasses import asdict, dataclass, field

import torch

from saltseg.learning.checkpoint import Checkpoint
from saltseg.learning.history import EpochRecord, History, watched_scores
from saltseg.learning.kept_epochs import KeptEpochs
from saltseg.learning.learner import Learner
from saltseg.learning.schedules import Score


@dataclass
class TrainingState:
    """All that changes while a network trains, and so all that a checkpoint holds."""

    learner: Learner
    checkpoint: Checkpoint
    history: History = field(default_factory=list)
    kept: KeptEpochs = field(default_factory=KeptEpochs)
    losses: list[torch.Tensor] = field(default_factory=list)
    """Of the batches so far of the epoch under way; their number is the place in it."""

    def scores(self, phase: int) -> list[Score]:
        """Return what each epoch of a phase was worth by the watched crops."""
        return watched_scores(self.history, phase)

    def save(self) -> None:
        """Save everything that `load` needs to go on from here."""
        losses = torch.stack(self.losses).cpu() if self.losses else torch.empty(0)
        content = {
            "history": [asdict(record) for record in self.history],
            "candidate": self.kept.candidate,
            "losses": losses,
            **self.learner.state(),
        }
        self.checkpoint.save(content, self.kept.weights)

    def save_if_due(self) -> None:
        """Save, unless that was done not long ago."""
        if self.checkpoint.due():
            self.save()

    def load(self) -> bool:
        """Go on from what an interrupted training saved; tell whether there was anything."""
        loaded = self.checkpoint.load()
        if loaded is None:
            return False
        content, weights = loaded
        self.learner.restore(content)
        self.history = [EpochRecord(**record) for record in content["history"]]
        self.kept = KeptEpochs(weights, content["candidate"])
        self.losses = list(content["losses"].to(self.learner.fabric.device))
        return True
