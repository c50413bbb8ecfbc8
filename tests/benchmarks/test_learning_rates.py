"""The learning-rate range test finds the rates that its losses tell."""

import pytest

from benchmarks.learning_rates import found, geometric, measured, prepared, smoothed
from saltseg.config.params import load_params
from saltseg.plumbing.layout import Layout


def test_rates_rise_by_the_same_factor() -> None:
    assert geometric(1e-4, 1.0, 5) == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1.0])


def test_the_first_smoothed_loss_is_the_first_loss() -> None:
    assert smoothed([3.0, 3.0, 3.0]) == pytest.approx([3.0] * 3)
    assert smoothed([3.0, 1.0]) == pytest.approx([3.0, (0.95 * 3 + 1) / (0.95 + 1)])


def test_where_the_loss_falls_is_least_and_grows() -> None:
    rates = geometric(1e-5, 1.0, 200)
    losses = [2.0] * 80 + [2 - step / 40 for step in range(60)] + [0.5 + step for step in range(60)]
    told = found(rates, losses)
    assert rates[80] < told.steepest <= told.least
    assert told.growing is not None and told.least < told.growing < rates[170]
    assert found(rates[:120], losses[:120]).growing is None


def test_a_real_network_is_tested_until_its_loss_grows(trained: Layout) -> None:
    params = load_params(trained.params)
    learner, batches = prepared(trained, params, "class_unet", phase=1, fold=0)
    loss = params.train_per_fold.phases[1].loss
    rates = geometric(1e-4, 1e4, 12)
    losses = measured(learner, batches, loss, rates)
    assert 3 <= len(losses) <= 12 and all(value > 0 for value in losses)
    again = prepared(trained, params, "class_unet", phase=1, fold=0)
    assert measured(*again, loss, rates[:3]) == losses[:3]
