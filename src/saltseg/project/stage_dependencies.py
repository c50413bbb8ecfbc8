"""The module lists of dvc.yaml, from what the stages' scripts import.

    python -m saltseg.project.stage_dependencies

rewrites them in the project's folder; `make deps` calls it.
"""

import re
from pathlib import Path

import yaml

from saltseg.plumbing.errors import one_line_errors
from saltseg.plumbing.files import write_text
from saltseg.plumbing.layout import check_project
from saltseg.plumbing.modules import determining_modules

PACKAGE = "src/saltseg"


def code_dependencies(root: Path, script: Path) -> list[str]:
    """Return the files that a stage's result depends on: its script and the modules it imports.

    Paths are relative to `root`, the project's folder, in order.
    """
    paths = determining_modules(script, root / PACKAGE)
    return sorted(path.relative_to(root).as_posix() for path in paths)


def rewritten(root: Path) -> str:
    """Return the text of dvc.yaml with each stage's list of modules brought up to date.

    A stage that depends on the whole package keeps its list. Comments and all else stay.
    """
    text = (root / "dvc.yaml").read_text(encoding="utf-8")
    for name, stage in yaml.safe_load(text)["stages"].items():
        if PACKAGE not in stage["deps"]:
            script = root / "stages" / f"{name.replace('-', '_')}.py"
            text = _with_modules(text, name, code_dependencies(root, script))
    return text


def _with_modules(text: str, stage: str, paths: list[str]) -> str:
    """Put `paths` in place of the modules among the dependencies of one stage."""
    start = re.search(rf"^  {re.escape(stage)}:\n", text, re.MULTILINE)
    assert start is not None, f"dvc.yaml lists {stage}, and names it on no line of its own"
    module = r"      - (?:src/saltseg|stages)/\S+\n"
    head, tail = text[: start.end()], text[start.end() :]
    lines = "".join(f"      - {path}\n" for path in paths)
    return head + re.sub(rf"(?:{module})+", lambda _: lines, tail, count=1)


def main(root: Path) -> None:
    """Rewrite the dvc.yaml of `root`."""
    check_project(root)
    write_text(root / "dvc.yaml", rewritten(root))


if __name__ == "__main__":
    with one_line_errors():
        main(Path())
