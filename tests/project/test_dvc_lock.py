import pytest
import yaml

from saltseg.plumbing.errors import InputError
from saltseg.project import dvc_lock

OUTS = [{"path": "data/a", "hash": "md5", "md5": "0a.dir"}, {"path": "s3://b", "etag": "1"}]


@pytest.mark.parametrize("content", [b"", b"schema: '2.0'\n", b"stages:\n"])
def test_a_lock_without_stages_is_empty(content: bytes) -> None:
    assert dvc_lock.read(content) == {}


def test_what_has_no_hash_is_left_out() -> None:
    lock = {"stages": {"a": {"cmd": "x", "outs": OUTS}, "b": {"deps": OUTS[:1]}, "c": {}}}
    stages = dvc_lock.read(yaml.safe_dump(lock).encode())
    assert list(stages) == ["a", "b", "c"]
    assert dvc_lock.hashes(stages, "outs") == {"data/a": "0a.dir"}


@pytest.mark.parametrize(
    "content",
    [
        b"stages: {a: [",
        b"\x80abc",
        b"just words",
        b"- a\n- list\n",
        b"stages: [1, 2]",
        b"stages: {a: 5}",
        b"stages: {a: {outs: [{md5: 0a}]}}",
        b"stages: {a: {deps: 7}}",
        b"stages: {a: {outs: [{path: x, md5: 5}]}}",
        b"<<<<<<< HEAD\nstages: {}\n=======\nstages: {}\n>>>>>>> other\n",
    ],
)
def test_a_damaged_lock_is_one_line(content: bytes) -> None:
    with pytest.raises(InputError, match=r"^dvc\.lock: is damaged \(.*'git checkout dvc\.lock'"):
        dvc_lock.read(content)
