"""The code of a checkout as it is sent to the nodes of a cluster: commit, patch, DVC's settings.

A node needs no access to the repository that the commit came from.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dvc.repo import Repo

from saltseg.plumbing.errors import InputError, first_few
from saltseg.plumbing.litter import is_litter
from saltseg.project.code_state import code_patch, code_state
from saltseg.project.git import git, top_folder, why_unknown
from saltseg.reproduction.clean_clone import Storage, restore_code
from saltseg.reproduction.revisions import tracked_files

SENT = {
    *("url", "endpointurl", "oss_endpoint", "region", "cache_regions", "port", "type"),
    *("projectname", "proxy_to", "data_proxy_target", "account_name", "tenant_id", "user"),
    *("auth", "allow_agent", "allow_anonymous_login", "gss_auth", "kerberos", "kerb_ticket"),
    *("kerberos_principal", "profile", "configpath", "credentialpath", "keyfile", "cert_path"),
    *("key_path", "gdrive_use_service_account", "gdrive_service_account_user_email"),
    *("gdrive_service_account_json_file_path", "gdrive_user_credentials_file"),
    *("gdrive_trash_only", "gdrive_acknowledge_abuse", "exclude_environment_credential"),
    *("exclude_managed_identity_credential", "exclude_shared_token_cache_credential"),
    *("exclude_visual_studio_code_credential", "ssl_verify", "use_ssl", "use_https", "method"),
    *("listobjects", "acl", "grant_full_control", "grant_read", "grant_read_acp"),
    *("grant_write_acp", "sse", "sse_kms_key_id", "sse_customer_algorithm", "jobs"),
    *("checksum_jobs", "max_sessions", "no_traverse", "timeout", "connect_timeout"),
    *("connection_timeout", "read_timeout", "verify", "version_aware", "worktree", "shared"),
    *("protected", "slow_link_warning", "replication"),
}
"""Settings of DVC's remotes that nodes are told: no credentials, of which nodes have their own."""


@dataclass(frozen=True)
class Shipment:
    """What makes the same checkout elsewhere."""

    commit: str
    patch: bytes
    """The binary patch of a dirty tree on top of `commit`."""
    pack: bytes
    """A pack of git with the commit and its files, without its history."""
    form: str
    """Git's object format."""
    place: str
    """The project's folder in the repository."""
    storage: Storage

    def unpack(self, folder: Path) -> Path:
        """Make the checkout in `folder`, which must not exist; return the project's folder."""
        git(folder.parent, "init", "--quiet", "--template=", f"--object-format={self.form}",
            str(folder))  # fmt: skip
        (folder / ".git/objects/pack").mkdir(parents=True, exist_ok=True)
        git(folder, "unpack-objects", "-q", stdin=self.pack)
        (folder / ".git/shallow").write_text(f"{self.commit}\n", encoding="utf-8")
        restore_code(folder, self.commit, self.patch)
        return folder / self.place


def pack_code(root: Path) -> Shipment:
    """Pack the code of a checkout as it is now, uncommitted changes included.

    Raises InputError if git cannot tell the code's state, if a file is too large for the patch, and
    if DVC has no remote.
    """
    commit, changed = code_state(root)
    if changed is None:
        raise InputError(f"the state of the code cannot be sent to nodes: {why_unknown(root)}")
    patch = code_patch(root)
    if patch.omitted:
        raise InputError(
            f"{first_few(patch.omitted)}: too large to be sent to nodes; commit it, keep it with"
            " 'dvc add', or name it in .gitignore"
        )
    objects = git(root, "rev-list", "--objects", "--no-walk", "--no-object-names", commit)
    return Shipment(
        commit,
        patch.text,
        git(root, "pack-objects", "--stdout", "-q", stdin=objects),
        git(root, "rev-parse", "--show-object-format").decode().strip(),
        str(top_folder(root)[1]),
        sent_storage(root),
    )


def sent_storage(root: Path) -> Storage:
    """Return what nodes are told of DVC's remotes. Raises InputError if there is no default one."""
    with Repo(str(root)) as repo:
        storage = Storage.of(repo)
    if storage.default is None:
        raise InputError(
            "DVC has no default remote, through which nodes exchange data; add one that all of them"
            " reach: 'dvc remote add --default NAME URL' (a shared folder, s3://BUCKET/FOLDER, ...)"
        )
    remotes = {
        name: {key: _public(value) for key, value in settings.items() if key in SENT}
        for name, settings in storage.remotes.items()
    }
    return Storage(storage.cache, remotes, storage.default)


def _public(value: object) -> object:
    """Return a setting without the password of a URL, whose user stays.

    A password with an unescaped "/" goes too; the number of a port is no password.
    """
    password = r"(//[^/@:\s]*):(?:[^/\s]*|(?!\d*/)\S*?)@"
    return re.sub(password, r"\1@", value) if isinstance(value, str) else value


def check_inputs(root: Path, shipment: Shipment, items: Collection[str]) -> None:
    """Raise InputError that names a file that one of `items` reads and no node would have."""
    sent = {*tracked_files(root, shipment.commit, shipment.patch)}
    with Repo(str(root)) as repo:
        made = [Path(out.fs_path) for stage in repo.index.stages for out in stage.outs]
        read = {
            Path(each.fs_path)
            for stage in repo.index.stages
            if getattr(stage, "name", None) in items
            for each in stage.deps
        }
    for path in (file for folder in sorted(read) for file in folder.rglob("*") if file.is_file()):
        inside = path.relative_to(root.resolve())
        known = path.name == ".gitignore" or is_litter(inside)
        in_dvc = any(path.is_relative_to(out) for out in made)
        if not (known or in_dvc or (shipment.place / inside).as_posix() in sent):
            raise InputError(
                f"{inside}: is neither in git nor in DVC, so no node would have it; keep it with"
                f" 'dvc add {inside}'"
            )
