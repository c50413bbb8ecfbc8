"""YAML with aliases that grow, and other content that stops a parser."""

from pathlib import Path

import pytest

from saltseg.config.params import load_params
from saltseg.config.yaml_content import parse_yaml, read_yaml
from saltseg.plumbing.errors import InputError
from tests.conftest import PROJECT

LAUGHS = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
)
MERGES = "\n".join(
    ["a0: &a0 {x0: 1, y0: 1}"]
    + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12)]
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAUGHS, "its aliases expand to .* values, more than 100,000; write them out"),
        (MERGES, "its aliases expand to .* values, more than 100,000; write them out"),
        ("a: &a [*a]", "an alias refers to a node that contains it"),
        ("a: &a {b: *a}", "an alias refers to a node that contains it"),
        ("[" * 5000, "nested too deeply|while parsing|expected"),
        ("[" * 5000 + "]" * 5000, "nested too deeply"),
        ("a: !!python/object/apply:os.system [x]", "could not determine a constructor"),
        ("a: [", "while parsing"),
        ("a: 1\n---\nb: 2", "expected a single document"),
        ("a: \x00", "unacceptable character"),
        ("#" * (1 << 20) + "\na: 1", "bytes, more than the 1,048,576 allowed"),
    ],
)
def test_what_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"params\.yaml: .*({said})") as caught:
        load_params(path)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(InputError, match="cannot be read as YAML"):
        read_yaml(tmp_path / "params.yaml")
    with pytest.raises(InputError, match="there is no such file"):
        read_yaml(tmp_path / "none.yaml")


def test_aliases_in_measure_are_read() -> None:
    text = "a: &a {b: [1, 2]}\nc: *a\nd: {<<: *a, e: 3}"
    assert parse_yaml(text) == {"a": {"b": [1, 2]}, "c": {"b": [1, 2]}, "d": {"b": [1, 2], "e": 3}}
    assert parse_yaml("") is None
    assert isinstance(parse_yaml((PROJECT / "params.yaml").read_text()), dict)
