"""The teacher of one fold: it learns without the fold and predicts the test crops."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from saltseg.crops import CropSet, depth
from saltseg.devices import create_fabric
from saltseg.labelled import divide_crops, survey_crops
from saltseg.layout import Layout
from saltseg.models import create_model
from saltseg.params import Params
from saltseg.prediction import predict_mean, snapshot_shares
from saltseg.seeds import stream_seed
from saltseg.states import drop_state
from saltseg.training import Place, Report, Task, train


def predict_test(
    crops: CropSet, folds: pd.DataFrame, fold: int, params: Params, layout: Layout, report: Report
) -> npt.NDArray[np.float32]:
    """Return the flip-averaged probabilities of the test crops, float32 (n, h, w).

    The teacher learns from all folds but `fold`, so that a member of that fold, which learns from
    its labels, knows nothing of the fold. The mean is over the teacher's snapshots.
    """
    settings = params.pseudolabel
    definition = params.models[settings.teacher]
    seed = stream_seed(params.base.seed, "teacher", settings.teacher, fold)
    sets, held_out = divide_crops(crops, folds, fold, settings.phases, params)
    trained = train(
        Task(definition, params.training, settings.phases, seed),
        sets | survey_crops(layout.pretraining, settings.phases),
        held_out,
        Place(params.runtime, layout.weights, layout.states, f"teacher of fold {fold}"),
        report,
    )
    fabric = create_fabric(params.runtime)
    network = create_model(definition, seed=0, weights=None)
    probabilities = predict_mean(
        fabric.setup_module(network.to(memory_format=torch.channels_last)),
        trained.snapshots,
        snapshot_shares(len(trained.snapshots), decay=1.0),
        crops.test_images,
        depth(crops.test),
        fabric,
        flip=True,
        name=f"teacher of fold {fold} predicts",
    )
    drop_state(trained.state)
    return probabilities
