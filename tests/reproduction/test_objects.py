"""Where an object is, by remotes that answer, and by remotes that cannot be asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from dvc.repo import Repo

from saltseg.plumbing.errors import InputError
from saltseg.project import dvc_lock
from saltseg.reproduction.comparison import ComparedOutput, compare
from saltseg.reproduction.objects import Objects, State
from saltseg.reproduction.records import RunRecord
from tests.helpers.checkout import Checkout
from tests.helpers.servers import free_port

DIGEST = "d41d8cd98f00b204e9800998ecf8427e"
"""That of an empty file."""


class Silent(SimpleHTTPRequestHandler):
    """Serve a folder without a log."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Forbidding(Silent):
    """Answer as a server does whose password has expired."""

    def send_head(self) -> None:
        """Refuse whatever is asked for."""
        self.send_error(403)


class Withholding(Silent):
    """Tell what there is, and hand nothing out."""

    def do_GET(self) -> None:
        """Refuse."""
        self.send_error(403)


@contextmanager
def served(folder: Path, handler: type[Silent]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def project(tmp_path: Path) -> Checkout:
    (tmp_path / "project").mkdir()
    checkout = Checkout(tmp_path / "project")
    checkout.succeed("git", "init", "--quiet")
    checkout.succeed("dvc", "init", "--quiet")
    return checkout


def configure(project: Checkout, url: str, **settings: str) -> None:
    lines = ["[core]", "    remote = there", "['remote \"there\"']", f"    url = {url}"]
    lines += [f"    {key} = {value}" for key, value in settings.items()]
    (project.root / ".dvc/config").write_text("\n".join(lines) + "\n")


def state(project: Checkout, url: str, **settings: str) -> State:
    configure(project, url, **settings)
    with Repo(str(project.root)) as repo:
        return Objects(repo).state(DIGEST)


def test_a_server_tells_what_it_has(project: Checkout, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    remote.mkdir()
    with served(remote, Silent) as url:
        assert state(project, url) is State.MISSING
        path = remote / "files/md5" / DIGEST[:2] / DIGEST[2:]
        path.parent.mkdir(parents=True)
        path.touch()
        assert state(project, url) is State.REMOTE
        assert state(project, url) is State.REMOTE


def test_what_cannot_be_asked_is_not_missing(project: Checkout, tmp_path: Path) -> None:
    asked = "DVC's remote cannot be asked for"
    with served(tmp_path, Forbidding) as url, pytest.raises(InputError, match=asked):
        state(project, url)
    nobody = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(InputError, match=asked):
        state(project, nobody)
    with pytest.raises(InputError, match=asked) as raised:
        state(project, "s3://bucket/there", endpointurl=nobody, access_key_id="a",
              secret_access_key="b")  # fmt: skip
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "settings", "said"),
    [
        ("gs://bucket/there", {}, "dvc-gs"),
        ("remote://other/there", {}, "'other' doesn't exist"),
        ("s3://bucket/there", {"version_aware": "true"}, "cloud versioned remotes"),
    ],
)
def test_a_remote_that_cannot_be_opened_is_needed_only_for_what_the_cache_lacks(
    project: Checkout, url: str, settings: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError, match=rf"cannot be opened.*{said}"):
        state(project, url, **settings)
    cached = project.root / ".dvc/cache/files/md5" / DIGEST[:2] / DIGEST[2:]
    cached.parent.mkdir(parents=True)
    cached.touch()
    assert state(project, url, **settings) is State.CACHED


def test_a_comparison_goes_on_without_a_list_that_the_remote_withholds(
    project: Checkout, tmp_path: Path
) -> None:
    folder = f"{DIGEST}.dir"
    path = tmp_path / "remote/files/md5" / folder[:2] / folder[2:]
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps([{"md5": DIGEST, "relpath": "a"}]))
    stages = b"stages: {made: {cmd: x, outs: [made]}}"
    record = RunRecord("HEAD", "c" * 40, {"dvc.yaml": stages, "dvc.lock": lock(folder)})
    with served(tmp_path / "remote", Silent) as url:
        configure(project, url)
        with Repo(str(project.root)) as repo:
            assert Objects(repo).files(folder) == {"a": DIGEST}
            (output,) = compared(record, project, Objects(repo))
    assert output.files == ("a",)
    with served(tmp_path / "remote", Withholding) as url:
        configure(project, url)
        with Repo(str(project.root)) as repo:
            with pytest.raises(InputError, match="cannot be asked for"):
                Objects(repo).files(folder)
            (output,) = compared(record, project, Objects(repo))
    assert output.files == () and not output.same


def lock(digest: str) -> bytes:
    return f"stages: {{made: {{cmd: x, outs: [{{path: made, md5: {digest}}}]}}}}".encode()


def compared(record: RunRecord, project: Checkout, objects: Objects) -> list[ComparedOutput]:
    (project.root / "made").mkdir(exist_ok=True)
    new = dvc_lock.read(lock("e" * 32 + ".dir"))
    return compare(record, project.root, new, ["made"], objects).outputs
