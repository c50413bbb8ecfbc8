import importlib.abc
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from saltseg import __version__
from saltseg.__main__ import main
from saltseg.cli import PANELS, app
from saltseg.project.health import State, check_machine
from saltseg.scoring.submission import write_sample
from tests.conftest import PROJECT


def said(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    write_sample(tmp_path / "sample.csv", ["a", "b"])
    return tmp_path / "sample.csv"


def test_check(sample: Path) -> None:
    code, text = said("check", str(sample), "--sample", str(sample))
    assert code == 0
    assert "valid; 2 crops, 0 without salt" in text
    other = sample.with_name("other.csv")
    other.write_text("id,rle_mask\nb,\na,\n")
    assert "another order" in said("check", str(other), "--sample", str(sample))[1]
    other.write_text("id,rle_mask\nb,\n")
    code, text = said("check", str(other), "--sample", str(sample))
    assert code == 1
    assert "1 id missing: a" in text
    assert text.count("\n") == 1


def test_score(sample: Path) -> None:
    code, text = said("score", str(sample), "--truth", str(sample))
    assert code == 0
    assert "1.0000, 95% interval 1.0000 to 1.0000, 2 crops, resampled one by one" in text


def test_help_groups_the_commands_by_task() -> None:
    text = said("--help")[1]
    places = [text.index(f"{panel} ") for panel in PANELS]
    assert places == sorted(places)
    named = [command.__name__ for commands in PANELS.values() for command in commands]
    assert len(named) == len(set(named)) == len(app.registered_commands)
    for name in named:
        assert f" {name.replace('_', '-')} " in text


def test_a_shell_completes_commands_and_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    monkeypatch.setenv("_SALTSEG_COMPLETE", "complete_bash")
    for words, place, expected in (
        ("saltseg rep", "1", {"report", "reproduce"}),
        ("saltseg recipe capstone-u", "2", {"capstone-unet"}),
        ("saltseg blend --f", "2", {"--force"}),
    ):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", place)
        done = CliRunner().invoke(app, [], prog_name="saltseg")
        assert set(done.output.split()) == expected


def test_a_wrong_parameter_is_answered_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(PROJECT)
    before = (PROJECT / "params.yaml").read_bytes()
    code, text = said("recipe", "demo", "-S", "n_folds=3")
    assert (code, text.count("\n")) == (1, 1)
    assert (
        text == "saltseg: n_folds: there is no such parameter; did you mean fold_split.n_folds?\n"
    )
    assert (PROJECT / "params.yaml").read_bytes() == before


def test_doctor_finds_what_is_missing_outside_of_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nonsense")
    code, text = said("doctor")
    assert code == 1
    found = {line.split()[1]: line.split()[0] for line in text.splitlines()[:-1]}
    needed = ["Python", "git", "project", "DVC", "MLflow"]
    assert [name for name, state in found.items() if state == "MISSING"] == needed
    assert (found["torch"], found["disk"], found["kaggle"]) == ("ok", "ok", "-")
    assert text.splitlines()[-1] == f"5 needed: {', '.join(needed)}"
    assert len(text.splitlines()) <= 24, "one screen"


def test_doctor_finds_all_that_is_needed_in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    found = {each.name: each for each in check_machine(PROJECT)}
    assert [each for each in found.values() if each.state is State.NEEDED] == []
    assert {"packages", "torch", "disk"} <= set(found)


def test_wrong_usage_is_code_two() -> None:
    assert said("check")[0] == 2
    assert said("score", "x", "--nonsense")[0] == 2


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("summary", "results/score.json: no run has finished here yet; 'make demo' or 'dvc repro'"),
        ("upload", "data/submit/submission.csv: no run has made it yet; run 'dvc repro'"),
        ("score gone.csv", "gone.csv: there is no such file; name one that exists"),
        ("score dvc.yaml", "data/truth/test.csv: there is no such file; name one with --truth"),
        ("check dvc.yaml", "sample_submission.csv: there is no such file; name one with --sample"),
        ("weights", "run 'dvc repro', or take .*: saltseg weights survey$"),
        ("export-onnx salt.onnx", "run 'dvc repro', or take .*: --model survey$"),
        ("predict image.npy --out .", "run 'dvc repro', or take .*: --model survey$"),
    ],
)
def test_before_the_first_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, reason: str
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("dvc.yaml").touch()
    np.save("image.npy", np.eye(120))
    code, text = said(*command.split())
    assert (code, text.count("\n")) == (1, 1)
    assert re.search(reason, text.strip()), text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dvc.yaml", "image.npy"]


@pytest.mark.parametrize("command", ["summary", "upload"])
def test_outside_of_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "has no dvc.yaml; run this in the project's folder" in said(command)[1]


def test_version() -> None:
    assert said("--version") == (0, f"saltseg {__version__}\n")
    about = yaml.safe_load((PROJECT / "CITATION.cff").read_text())
    assert about["version"] == __version__


class Interrupted(importlib.abc.MetaPathFinder):
    """Ctrl-C while a module is looked for."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "saltseg.cli":
            raise KeyboardInterrupt


def test_ctrl_c_while_it_imports_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "saltseg.cli")
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 130
    assert capsys.readouterr().err == "saltseg: interrupted\n"
