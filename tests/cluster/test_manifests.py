"""The files in docs/scaling.md that start a cluster, by the schemas of those who read them."""

import json
import re
import subprocess
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError, validate

from tests.conftest import PROJECT


def block(begins: str) -> str:
    """Return the block of code in the page that begins so."""
    page = (PROJECT / "docs/scaling.md").read_text()
    blocks = re.findall(r"^```\w+\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    (found,) = (each for each in blocks if each.startswith(begins))
    return str(found)


def test_the_manifest_for_kubernetes_is_a_ray_job() -> None:
    schema = json.loads((Path(__file__).parent / "rayjob.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    manifest = yaml.safe_load(block("apiVersion: ray.io/v1"))
    validate(manifest, schema)
    cluster = manifest["spec"]["rayClusterSpec"]
    assert cluster["authOptions"] == {"mode": "token"}
    assert cluster["rayVersion"] == version("ray")
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        pod = group["template"]["spec"]
        mounted = {each["name"] for one in pod["containers"] for each in one["volumeMounts"]}
        assert mounted == {each["name"] for each in pod["volumes"]}
    cluster["headGroupSpec"]["rayStartParams"] = {"num-cpus": 0}
    with pytest.raises(ValidationError):
        validate(manifest, schema)


def test_the_file_for_the_cluster_launcher_is_what_ray_reads() -> None:
    schema = json.loads((files("ray.autoscaler") / "ray-schema.json").read_text())
    launched: dict[str, Any] = yaml.safe_load(block("cluster_name: saltseg"))
    validate(launched, schema)
    assert launched["head_node_type"] in launched["available_node_types"]


def test_the_script_for_slurm_is_one_of_bash() -> None:
    script = block("#!/bin/bash")
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    options = re.search(r"^#SBATCH (.*)$", script, flags=re.MULTILINE)
    assert options is not None and "--ntasks-per-node=1" in options[1]
