"""A real S3 server on this machine, moto's, with an empty bucket."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

from tests.helpers.servers import free_port, wait_until

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}
"""What moto accepts; whoever uses the server needs these variables."""

BUCKET = "saltseg"


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """Run the server and yield its address."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    log = folder / "s3.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            command, stdout=stream, stderr=stream, env=os.environ | CREDENTIALS
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: "Running on" in log.read_text(), process, log)
        boto3.client(
            "s3",
            endpoint_url=address,
            region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        ).create_bucket(Bucket=BUCKET)
        yield address
    finally:
        process.terminate()
        process.wait(60)
