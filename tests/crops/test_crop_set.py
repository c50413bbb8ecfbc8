from pathlib import Path

import pytest

from saltseg.config.params import parse_params
from saltseg.crops.crop_set import NO_DEPTH, CropSet, load_array, load_table, require_depths
from saltseg.plumbing.errors import InputError
from tests.conftest import shrunk_content


@pytest.mark.parametrize(
    ("reader", "enabled", "refused"),
    [
        (None, True, False),
        ("lite0", True, True),
        ("lite0", False, False),
        ("class_unet", True, True),
    ],
)
def test_depths_are_asked_for_where_a_member_or_the_teacher_reads_them(
    small_crops: CropSet, reader: str | None, enabled: bool, refused: bool
) -> None:
    content = shrunk_content()
    content["pseudolabel"] |= {"teacher": "lite0", "enabled": enabled}
    if reader:
        content["models"][reader]["input"]["channels"] = ["image", "depth"]
    models = parse_params(content, "params.yaml").used_models
    require_depths(small_crops.table, models)
    test = small_crops.table["split"] == "test"
    table = small_crops.table.assign(depth=small_crops.table["depth"].mask(test, NO_DEPTH))
    if not refused:
        require_depths(table, models)
        return
    with pytest.raises(
        InputError, match=rf"models\.{reader}\.input\.channels: reads the depth, wh"
    ):
        require_depths(table, models)


@pytest.mark.parametrize("content", [None, b"", b"\x93NUMPY", b"no array"])
def test_an_array_that_cannot_be_opened_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "images.npy"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"images\.npy: cannot be opened \(.*\); run dvc repro"):
        load_array(path)


@pytest.mark.parametrize("content", [None, b"", b"no table"])
def test_a_table_that_cannot_be_read_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "crops.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"crops\.parquet: cannot be read \(.*\); run dvc repro"):
        load_table(path)
