"""Greedy weights: what they are chosen by, and that no part helps to choose its own."""

from pathlib import Path

import numpy as np
import pytest

from saltseg.scoring.metric import precision
from saltseg.selection.greedy_weights import ChosenWeights, mix_by_part, nested_weights

COUNT, SIDE = 24, 21
PARTS = np.arange(COUNT) % 3


def truths(seed: int = 0) -> np.ndarray:
    draws = np.random.default_rng(seed)
    columns, edges = np.arange(SIDE), draws.integers(4, SIDE - 4, (COUNT, 1, 1))
    return np.broadcast_to(columns < edges, (COUNT, SIDE, SIDE)).copy()


def said_with_noise(truth: np.ndarray, noise: float, seed: int) -> np.ndarray:
    draws = np.random.default_rng(seed).normal(size=truth.shape)
    return np.clip(truth * 0.4 + 0.3 + noise * draws, 0, 1).astype(np.float32)


def test_a_useless_member_gets_nothing_and_the_sum_is_one() -> None:
    truth = truths()
    members = {"noise": said_with_noise(truths(1), 0.9, 1), "good": truth * np.float32(0.8)}
    chosen = nested_weights(members, truth, PARTS)
    assert chosen.overall == {"noise": 0.0, "good": 1.0}
    assert chosen.by_part == dict.fromkeys((0, 1, 2), chosen.overall)


def test_members_whose_errors_differ_are_mixed_to_more_than_the_best() -> None:
    truth = truths()
    members = {name: said_with_noise(truth, 0.25, at) for at, name in enumerate("abc")}
    chosen = nested_weights(members, truth, PARTS)
    assert sum(chosen.overall.values()) == pytest.approx(1)
    assert sum(share > 0 for share in chosen.overall.values()) > 1
    overall = ChosenWeights(chosen.overall, dict.fromkeys((0, 1, 2), chosen.overall))
    mixed = precision(mix_by_part(members, PARTS, overall) > 0.5, truth).mean()
    assert mixed > max(precision(said > 0.5, truth).mean() for said in members.values())


def test_equal_members_share_nothing_the_first_is_taken() -> None:
    truth = truths()
    said = said_with_noise(truth, 0.3, 0)
    assert nested_weights({"a": said, "b": said.copy()}, truth, PARTS).overall == {"a": 1, "b": 0}


def test_no_part_helps_to_choose_its_own_weights() -> None:
    truth = truths()
    members = {name: said_with_noise(truth, 0.3, at) for at, name in enumerate("abc")}
    before = nested_weights(members, truth, PARTS)
    own = PARTS == 1
    members["c"][own] = truth[own]  # c is suddenly perfect there
    after = nested_weights(members, truth, PARTS)
    assert after.by_part[1] == before.by_part[1]
    assert after.by_part[0]["c"] > before.by_part[0]["c"]
    assert after.overall["c"] > before.overall["c"]


def test_each_crop_is_mixed_by_its_part() -> None:
    members = {"a": np.zeros((3, 2, 2), np.float32), "b": np.ones((3, 2, 2), np.float32)}
    weights = ChosenWeights(
        {"a": 1.0, "b": 0.0}, {0: {"a": 0.25, "b": 0.75}, 4: {"a": 1.0, "b": 0.0}}
    )
    mixed = mix_by_part(members, np.array([0, 4, 0]), weights)
    assert mixed[:, 0, 0].tolist() == [0.75, 0, 0.75]


def test_the_file_keeps_them(tmp_path: Path) -> None:
    weights = ChosenWeights({"a": 0.5, "b": 0.5}, {3: {"a": 1.0, "b": 0.0}})
    weights.save(tmp_path)
    assert ChosenWeights.load(tmp_path) == weights
    assert weights.metrics() == {"weight_a": 0.5, "weight_b": 0.5}
