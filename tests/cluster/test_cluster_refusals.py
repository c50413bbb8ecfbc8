"""What is told in one line before any node is asked, and what a node tells of itself."""

import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from dvc.config_schema import REMOTE_SCHEMAS
from typer.testing import CliRunner

from saltseg.cli import app
from saltseg.cluster.code_shipment import SENT, check_inputs, pack_code
from saltseg.cluster.node import Versions, node_folder, unpacked
from saltseg.cluster.ray_cluster import RayCluster, Share, connected
from saltseg.cluster.shared_folder import SharedFolder
from saltseg.config.params import Params
from saltseg.plumbing.errors import InputError
from saltseg.project.git import git
from saltseg.tracking.cluster_run import check_shared_store
from tests.helpers.checkout import Checkout
from tests.helpers.servers import free_port

PIPELINE = """
stages:
  train:
    matrix: {fold: [0]}
    cmd: cat weights/* > made
    deps: [weights]
    outs: [made]
"""

REMOTE = """
[core]
    remote = here
['remote "here"']
    url = s3://bucket/dvc
    region = north
    access_key_id = open
    secret_access_key = sesame
    sse_customer_key = simsim
['remote "node"']
    url = ssh://me:sesam@host/folder
    passphrase = susam
['remote "typed"']
    url = ssh://me:se/sam@host:22/a@b
['remote "plain"']
    url = ssh://host:22/a@b
"""

KEPT_HERE = {
    *("access_key_id", "account_key", "ask_passphrase", "ask_password", "bearer_token_command"),
    *("client_id", "client_secret", "connection_string", "custom_auth_header"),
    *("gdrive_client_id", "gdrive_client_secret", "oss_key_id", "oss_key_secret", "passphrase"),
    *("password", "sas_token", "secret_access_key", "session_token", "sse_customer_key", "token"),
}
"""What DVC's remotes may have that is a credential, belongs to one, or asks for one."""


@pytest.fixture
def project(tmp_path: Path) -> Checkout:
    """A small project with a commit, an uncommitted change, and a new file."""
    checkout = Checkout(tmp_path / "project")
    (checkout.root / "weights").mkdir(parents=True)
    (checkout.root / "weights/known").write_text("known\n")
    (checkout.root / ".gitignore").write_text("*.ignored\n")
    (checkout.root / "dvc.yaml").write_text(PIPELINE)
    checkout.succeed("git", "init", "--quiet")
    checkout.succeed("dvc", "init", "--quiet")
    checkout.commit("first")
    checkout.succeed("git", "mv", "weights/known", "weights/moved")
    checkout.commit("second")
    (checkout.root / "weights/moved").write_text("changed\n")
    (checkout.root / "weights/new").write_bytes(b"\x00new")
    return checkout


def test_each_setting_of_dvc_s_remotes_is_sent_or_kept_here() -> None:
    schemas = [schema for kind, schema in REMOTE_SCHEMAS.items() if kind != "remote"]
    known = {str(name) for schema in schemas for name in schema}
    assert known == SENT | KEPT_HERE, "a setting of DVC is new: is it a credential?"
    assert not SENT & KEPT_HERE


def test_a_node_gets_the_code_as_it_is_here(project: Checkout, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no default remote.*dvc remote add --default NAME URL"):
        pack_code(project.root)
    (project.root / ".dvc/config.local").write_text(REMOTE)
    shipment = pack_code(project.root)
    there = shipment.unpack(tmp_path / "there")
    assert (there / "weights/moved").read_text() == "changed\n"
    assert (there / "weights/new").read_bytes() == b"\x00new"
    assert not (there / "weights/known").exists()
    assert git(there, "rev-parse", "HEAD") == git(project.root, "rev-parse", "HEAD")
    sent = shipment.storage.remotes["here"]
    assert (sent["url"], sent["region"]) == ("s3://bucket/dvc", "north")
    assert shipment.storage.remotes["node"]["url"] == "ssh://me@host/folder"
    assert shipment.storage.remotes["typed"]["url"] == "ssh://me@host:22/a@b"
    assert shipment.storage.remotes["plain"]["url"] == "ssh://host:22/a@b"
    told = str(shipment.storage.remotes)
    secrets = ("open", "sesame", "simsim", "sesam", "susam", "se/sam")
    assert not any(secret in told for secret in secrets), "credentials must stay here"
    check_inputs(project.root, shipment, {"train@0"})
    (project.root / "weights/a.ignored").touch()
    with pytest.raises(InputError, match=r"weights/a\.ignored: is neither in git nor in DVC"):
        check_inputs(project.root, shipment, {"train@0"})


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "MLFLOW_TRACKING_URI: is not set.*mlflow server"),
        ("sqlite:////tmp/a.db", "local SQLite database.*mlflow server"),
    ],
)
def test_a_local_store_cannot_be_shared(
    monkeypatch: pytest.MonkeyPatch, address: str, reason: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with pytest.raises(InputError, match=reason):
        check_shared_store()


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("ray://head:10001", "is not an address; give HOST:PORT"),
        ("head", "is not an address; give HOST:PORT"),
        ("127.0.0.1:PORT", r"nobody answers at 127.0.0.1:\d+ .*'ray start --head'"),
    ],
)
def test_a_wrong_address(address: str, reason: str) -> None:
    with (
        pytest.raises(InputError, match=reason),
        connected(address.replace("PORT", str(free_port()))),
    ):
        pass


def test_without_ray_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['ray'] = None\n"
        "from saltseg.cluster.ray_cluster import connected\n"
        "from saltseg.plumbing.errors import one_line_errors\n"
        "with one_line_errors(), connected('auto'): pass"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "saltseg: --ray: Ray is not installed; install it with 'pip install saltseg[ray]'\n"
    )


def nodes_with(**resources: float) -> Callable[[], list[dict[str, object]]]:
    """Return what Ray tells of a cluster of one node."""
    return lambda: [{"Alive": True, "Resources": resources}]


def test_what_the_nodes_lack_is_named(
    monkeypatch: pytest.MonkeyPatch, shrunk_params: Params
) -> None:
    cluster = RayCluster("head:6379")
    runtime = shrunk_params.runtime.model_copy(update={"accelerator": "cuda", "threads": 4})
    monkeypatch.setattr("ray.nodes", nodes_with(CPU=3))
    with pytest.raises(InputError, match=r"runtime\.accelerator: cuda asks for a GPU, and no node"):
        cluster.share(runtime)
    anything = runtime.model_copy(update={"accelerator": "auto"})
    with pytest.raises(InputError, match=r"runtime\.threads: 4 is more than the 3 CPUs"):
        cluster.share(anything)
    assert cluster.share_at_most(anything) == Share(cpus=3)
    monkeypatch.setattr("ray.nodes", nodes_with(CPU=3, GPU=2))
    assert cluster.share(runtime) == cluster.share(anything) == Share(cpus=1, gpus=1)
    assert cluster.places(Share(cpus=1, gpus=1)) == 2


def test_a_cluster_of_another_ray_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**options: object) -> None:
        raise RuntimeError("Version mismatch: The cluster was started with:\n    Ray: 2.1")

    monkeypatch.setattr("ray.init", refuse)
    with socket.socket() as channel:
        channel.bind(("127.0.0.1", 0))
        channel.listen()
        address = f"127.0.0.1:{channel.getsockname()[1]}"
        with (
            pytest.raises(InputError, match=r"Ray: 2\.1; install the same Ray and Python on all"),
            connected(address),
        ):
            pass


def test_a_node_with_other_versions_says_which() -> None:
    here = Versions.here()
    here.check()
    for name in ("python", "ray", "torch", "saltseg"):
        with pytest.raises(InputError, match=f"has {name} .* started with 0.0; install the same"):
            replace(here, **{name: "0.0"}).check()
    with pytest.raises(InputError, match="has saltseg's code"):
        replace(here, code="sha256:0123456789").check()


def test_a_folder_that_is_not_shared_is_named(tmp_path: Path) -> None:
    shared = SharedFolder.made(tmp_path / "one")
    shared.check()
    assert SharedFolder.made(tmp_path / "one") == shared
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match="does not see this folder"):
        SharedFolder(tmp_path / "other", shared.mark).check()


def test_what_a_node_says_is_read_as_json_only() -> None:
    with pytest.raises(InputError, match="what is no message"):
        unpacked(b"\x80\x04K\x01.")


def test_a_nodes_folder_is_the_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = node_folder()
    assert folder.parent == tmp_path and folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    with pytest.raises(InputError, match=r"is open to others \(mode 755\); chmod 700 it"):
        node_folder()
    folder.rmdir()
    folder.touch()
    with pytest.raises(InputError, match="is not a folder; remove it, or set TMPDIR"):
        node_folder()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["train", "--states", "x"], "--states is for a cluster"),
        (["ablate", "demo", "--vary", "a=1", "--states", "x"], "--states is for a cluster"),
        (["train", "--ray", "auto", "--jobs", "2"], "--jobs is for one machine"),
        (["predict", "a.sgy", "--out", "x", "--ray", "auto", "--estimate"], "leave --ray out"),
    ],
)
def test_options_that_do_not_go_together(arguments: list[str], reason: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2 and reason in " ".join(result.output.split())
