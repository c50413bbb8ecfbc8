"""Stores in a bucket, s3://BUCKET/KEY: read where they lie, chunk by chunk.

s3fs finds credentials, region and endpoint in the environment (AWS_ACCESS_KEY_ID, ...,
AWS_ENDPOINT_URL for servers other than Amazon's), and no command takes them.
"""

import hashlib
from pathlib import Path
from typing import Any

from saltseg.plumbing.errors import InputError, reason_of

_SCHEME = "s3:"


class BucketPath(type(Path())):  # type: ignore[misc]  # a concrete Path, so that code of paths takes it
    """The place of a store in a bucket; what surveys ask of a path is asked of the bucket."""

    def __str__(self) -> str:
        """Return it as it was given."""
        return f"{_SCHEME}//{self._key()}"

    def __fspath__(self) -> str:
        """Return the same, which no local call takes for a file."""
        return str(self)

    def is_dir(self) -> bool:
        """Tell whether there is anything below it. Raises InputError if that cannot be asked."""
        return bool(self._ask("isdir"))

    def exists(self) -> bool:
        """Tell whether it is there."""
        return bool(self._ask("exists"))

    def resolve(self, strict: bool = False) -> "BucketPath":
        """Return itself: it depends on no working folder."""
        return self

    def identity(self) -> dict[str, object]:
        """Return what tells the store from another: its name, and the tag of its root's file."""
        root = self._ask("info", "zarr.json")
        return {"file": str(self), "size": int(root["size"]), "tag": str(root["ETag"])}

    def fingerprint(self) -> dict[str, Any]:
        """Return what fingerprint.fingerprint does, by the tags that the bucket gives its objects.

        A tag changes with the content; nothing but the listing is read.
        """
        found = self._ask("find", detail=True)
        hashed = hashlib.sha256()
        for name in sorted(found):
            told = f"{found[name]['ETag']}  {name.removeprefix(self._key())}\n"
            hashed.update(told.encode())
        size = sum(int(each["size"]) for each in found.values())
        return {"bytes": size, "sha256": hashed.hexdigest(), "of": "the tags of its objects"}

    def _key(self) -> str:
        return "/".join(self.parts[1:])

    def _ask(self, question: str, *below: str, **options: bool) -> Any:  # noqa: ANN401
        try:
            import fsspec

            bucket = fsspec.filesystem("s3")
            return getattr(bucket, question)("/".join([self._key(), *below]), **options)
        except ImportError as error:
            raise InputError(
                f"{self}: s3fs is not installed; install it with 'pip install saltseg[s3]'"
            ) from error
        except Exception as error:  # s3fs and botocore have many
            raise InputError(
                f"{self}: cannot be read ({reason_of(error)}); see AWS_ACCESS_KEY_ID,"
                " AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL in the environment"
            ) from error


def located(path: Path) -> Path:
    """Return a path of the command line, or of a record: in a bucket where it is s3://..."""
    return BucketPath(*path.parts) if path.parts[:1] == (_SCHEME,) else path


def check_not_in_bucket(path: Path, what: str) -> None:
    """Raise InputError for a place in a bucket, where only whole stores are read."""
    if path.parts[:1] == (_SCHEME,):
        raise InputError(
            f"{what}: {located(path)} is in a bucket; give a folder here, and copy what is made"
            " with 'aws s3 sync' or the like"
        )
