import importlib.abc
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from saltseg import __version__
from saltseg.__main__ import main
from saltseg.cli import app
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
    assert "right; 2 crops, 0 without salt" in text
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
    assert "1.0000, 95% interval 1.0000 to 1.0000, 2 crops" in text


def test_wrong_usage_is_code_two() -> None:
    assert said("check")[0] == 2
    assert said("score", "x", "--nonsense")[0] == 2


def test_upload_without_a_submission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, text = said("upload")
    assert code == 1
    assert "data/submit/submission.csv: cannot be read" in text


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
