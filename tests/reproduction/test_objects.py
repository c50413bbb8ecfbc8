"""Where an object is, by remotes that answer, and by remotes that cannot be asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from dvc.repo import Repo

from saltseg.plumbing.errors import InputError
from saltseg.reproduction.objects import Objects, State
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


def state(project: Checkout, url: str, **settings: str) -> State:
    lines = ["[core]", "    remote = there", "['remote \"there\"']", f"    url = {url}"]
    lines += [f"    {key} = {value}" for key, value in settings.items()]
    (project.root / ".dvc/config").write_text("\n".join(lines) + "\n")
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
    with pytest.raises(InputError, match=r"cannot be opened.*dvc-gs"):
        state(project, "gs://bucket/there")
