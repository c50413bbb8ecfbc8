"""The raw data is broken in every way that is checked; the message says where, which and what."""

import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from saltseg.crops.crop_set import NO_DEPTH
from saltseg.crops.tgs import FileCounts, read_raw
from saltseg.plumbing.errors import InputError
from saltseg.survey import SurveySet


def message_of(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_raw(folder, 2)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def edit(path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change a table that is read and written as text."""
    change(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)


def write_png(path: Path, pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> None:
    path.write_bytes(bytes(cv2.imencode(".png", pixels)[1]))


def read_png(path: Path) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), dtype=np.uint8)


@pytest.fixture
def salty(survey: SurveySet) -> str:
    """The id of a train crop with salt."""
    index = np.flatnonzero(survey.crops.train_masks.any(axis=(1, 2)))[0]
    return str(survey.crops.train["id"][index])


class TestOddities:
    def test_mask_bits_are_counted(self, zipped: Path, survey: SurveySet) -> None:
        salt = int(survey.crops.train_masks.any(axis=(1, 2)).sum())

        assert read_raw(zipped, 1)[1] == FileCounts(salt, 24 - salt, 0)

    def test_a_depth_without_a_crop_is_counted(self, zipped: Path) -> None:
        with (zipped / "depths.csv").open("a") as file:
            file.write("unknown,300\n")

        assert read_raw(zipped, 1)[1].depths_without_crop == 1

    def test_grey_images_are_the_same_as_rgb(self, unpacked: Path, survey: SurveySet) -> None:
        for path in (unpacked / "train" / "images").iterdir():
            write_png(path, read_png(path)[..., 0])

        np.testing.assert_array_equal(
            read_raw(unpacked, 1)[0].train_images, survey.crops.train_images
        )

    def test_masks_of_any_one_value_are_salt(self, unpacked: Path, survey: SurveySet) -> None:
        for path in (unpacked / "train" / "masks").iterdir():
            write_png(path, (read_png(path) > 0).astype(np.uint8))

        np.testing.assert_array_equal(
            read_raw(unpacked, 1)[0].train_masks, survey.crops.train_masks
        )


class TestIds:
    def test_crops_without_a_mask(self, unpacked: Path, survey: SurveySet) -> None:
        first, second = survey.crops.train["id"][3:5]
        for name in (first, second):
            (unpacked / "train" / "masks" / f"{name}.png").unlink()

        assert message_of(unpacked) == (
            f"{unpacked}/train/images: train crop without a mask, 2 of 24: {first}, {second}; "
            "restore what is missing, or take the id out of every file"
        )

    def test_many_offenders_are_counted(self, unpacked: Path, survey: SurveySet) -> None:
        for path in sorted((unpacked / "train" / "masks").iterdir())[:9]:
            path.unlink()

        assert "9 of 24: " in (message := message_of(unpacked))
        assert " and 4 more; " in message
        assert ", ".join(survey.crops.train["id"][:5]) in message

    def test_a_mask_without_a_crop(self, unpacked: Path, salty: str) -> None:
        (unpacked / "train" / "images" / f"{salty}.png").unlink()

        assert f"train/masks: mask without a train crop, 1 of 24: {salty}; " in message_of(unpacked)

    def test_a_swapped_id(self, unpacked: Path, salty: str) -> None:
        images = unpacked / "train" / "images"
        (images / f"{salty}.png").rename(images / "0000000000.png")

        assert "train crop without a mask, 1 of 24: 0000000000; " in message_of(unpacked)

    def test_a_crop_without_a_row(self, zipped: Path, salty: str) -> None:
        edit(zipped / "train.csv", lambda table: table[table["id"] != salty])

        assert f"train.csv: train crop without a row, 1 of 24: {salty}; " in message_of(zipped)

    def test_a_row_without_a_crop(self, zipped: Path) -> None:
        with (zipped / "train.csv").open("a") as file:
            file.write("unknown,\n")

        assert "train.csv: row without a train crop, 1 of 25: unknown; " in message_of(zipped)

    def test_a_train_crop_without_a_depth(self, zipped: Path, salty: str) -> None:
        edit(zipped / "depths.csv", lambda table: table[table["id"] != salty])

        message = message_of(zipped)
        assert f"depths.csv: train crop without a depth, 1 of 24: {salty}; " in message

    def test_test_crops_without_a_depth_are_counted(self, zipped: Path, survey: SurveySet) -> None:
        tests = survey.crops.test["id"]
        edit(zipped / "depths.csv", lambda table: table[~table["id"].isin(tests[1:])])

        crops, counts = read_raw(zipped, 1)
        assert counts.test_crops_without_depth == 7 and counts.depths_without_crop == 0
        assert (crops.test["depth"] == NO_DEPTH).tolist() == [False] + [True] * 7
        pd.testing.assert_frame_equal(crops.train, survey.crops.train)

    @pytest.mark.parametrize("name", ["train.csv", "depths.csv", "sample_submission.csv"])
    def test_an_id_twice_in_a_table(self, name: str, zipped: Path) -> None:
        edit(zipped / name, lambda table: pd.concat([table, table[1:2]]))

        message = message_of(zipped)
        twice = pd.read_csv(zipped / name, dtype=str)["id"].iloc[-1]
        assert f"{zipped / name}: id that occurs twice, 1 of " in message
        assert f": {twice}; keep one" in message

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_an_id_twice_in_a_zip(self, zipped: Path, salty: str) -> None:
        with zipfile.ZipFile(zipped / "train.zip", "a") as archive:
            name = f"images/{salty}.png"
            archive.writestr(name, archive.read(name))

        message = message_of(zipped)
        assert f"{zipped}/train.zip/images: id that occurs twice, 1 of 25: {salty}; " in message

    def test_a_train_crop_listed_as_test(self, zipped: Path, salty: str) -> None:
        with (zipped / "sample_submission.csv").open("a") as file:
            file.write(f"{salty},1 1\n")

        assert message_of(zipped) == (
            f"{zipped}/sample_submission.csv: test crop that train.csv lists too, 1 of 9: {salty}; "
            "a crop is in train or in test: take it out of one"
        )

    def test_a_train_crop_among_the_test_images(self, unpacked: Path, salty: str) -> None:
        place = f"images/{salty}.png"
        shutil.copy(unpacked / "train" / place, unpacked / "test" / place)

        message = message_of(unpacked)
        assert (
            f"test/images: test crop that is among the train crops too, 1 of 9: {salty}; "
            in message
        )

    def test_a_test_crop_that_the_sample_lacks(self, zipped: Path, survey: SurveySet) -> None:
        name = survey.crops.test["id"][2]
        edit(zipped / "sample_submission.csv", lambda table: table[table["id"] != name])

        message = message_of(zipped)
        assert f"sample_submission.csv: test crop without a row, 1 of 8: {name}; " in message

    def test_a_sample_row_without_a_crop(self, unpacked: Path, survey: SurveySet) -> None:
        name = survey.crops.test["id"][2]
        (unpacked / "test" / "images" / f"{name}.png").unlink()

        message = message_of(unpacked)
        assert f"sample_submission.csv: row without a test crop, 1 of 8: {name}; " in message

    @pytest.mark.parametrize(
        ("wrong", "fault"),
        [
            ("a,b", "has ','"),
            ("a b", "has ' '"),
            ("=1", "has '='"),
            ("-a", "begins with '-'"),
            ("u\u0308", "is not in Unicode normal form C"),
        ],
    )
    @pytest.mark.parametrize("everywhere", [True, False])
    def test_an_id_that_a_later_stage_cannot_take(
        self, wrong: str, fault: str, everywhere: bool, unpacked: Path, salty: str
    ) -> None:
        def renamed(table: pd.DataFrame) -> pd.DataFrame:
            return table.assign(id=table["id"].replace(salty, wrong))

        for kind in ("images", "masks"):
            path = unpacked / "train" / kind / f"{salty}.png"
            path.rename(path.with_stem(wrong))
        for name in ("train.csv", "depths.csv") if everywhere else ():
            edit(unpacked / name, renamed)

        message = message_of(unpacked)
        assert "id that cannot be used, 1 of " in message and fault in message
        assert "; use letters, digits, '_', '-' and '.', " in message

    def test_ids_that_differ_by_case_alone(self, unpacked: Path, survey: SurveySet) -> None:
        first, second = survey.crops.train["id"][0], survey.crops.test["id"][0]
        for path in (unpacked / "train").rglob(f"{first}.png"):
            path.rename(path.with_stem("abcdef"))
        (unpacked / f"test/images/{second}.png").rename(unpacked / "test/images/ABCDEF.png")
        names = {first: "abcdef", second: "ABCDEF"}
        for table in ("train.csv", "depths.csv", "sample_submission.csv"):
            edit(unpacked / table, lambda rows: rows.assign(id=rows["id"].replace(names)))

        assert "differs from " in (message := message_of(unpacked))
        assert "by case or Unicode form alone" in message

    def test_ids_from_a_spreadsheet(self, zipped: Path, salty: str) -> None:
        edit(
            zipped / "train.csv",
            lambda table: table.assign(id=table["id"].replace(salty, "6.51E+55")),
        )
        message = message_of(zipped)
        assert "train.csv: id turned into a number by a spreadsheet, 1 of 24: '6.51E+55'" in message


class TestTables:
    @pytest.mark.parametrize("value", ["deep", "", "306.5", "-3", "inf", "nan", "9" * 20, "100001"])
    def test_a_depth_that_is_no_number(self, value: str, zipped: Path, salty: str) -> None:
        edit(
            zipped / "depths.csv",
            lambda table: table.assign(z=table["z"].mask(table["id"] == salty, value)),
        )

        assert message_of(zipped) == (
            f"{zipped}/depths.csv: depth z that is no whole number of feet from 0 to 100,000, 1 of "
            f"32: {salty} ({value!r}); correct column z"
        )

    def test_a_missing_column(self, zipped: Path) -> None:
        edit(zipped / "train.csv", lambda table: table.rename(columns={"rle_mask": "rle"}))

        assert "train.csv: has no column 'rle_mask', only id, rle; " in message_of(zipped)

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "is empty; download it again"),
            (
                b"id,z\na,1\nb,2,3\n",
                "more than the 2 fields of the header in 1 of 2 rows: line 3",
            ),
            (
                b"id,z\na,1,3\nb,2,3\n",
                "more than the 2 fields of the header in 2 of 2 rows: line",
            ),
            (b"id,z\n\xff\xfe,3\n", "is not UTF-8 at byte 5"),
            ("id,z\na,1\n".encode("utf-16"), "is UTF-16, not UTF-8; save it as CSV UTF-8"),
            (b"id;z\na;1\n", "has no column 'id', only id;z"),
            (b'id,z\n"a,1\n', "cannot be read as CSV"),
        ],
    )
    def test_no_table_at_all(self, content: bytes, said: str, zipped: Path) -> None:
        (zipped / "depths.csv").write_bytes(content)

        assert f"{zipped}/depths.csv: {said}" in message_of(zipped)

    def test_a_bom_empty_lines_and_a_row_of_an_id_alone(
        self, zipped: Path, survey: SurveySet
    ) -> None:
        path = zipped / "train.csv"
        text = path.read_text().replace(",\n", "\n", 1).replace("\n", "\r\n\r\n")
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())

        pd.testing.assert_frame_equal(read_raw(zipped, 1)[0].table, survey.crops.table)

    @pytest.mark.parametrize(
        ("code", "detail"),
        [
            ("5 x", "'x' is not a whole number"),
            ("5 3 9", "'9', which has no length"),
            ("10201 2", "'10201 2' ends after the last pixel"),
            ("5 3 6 1", "'6 1' begins before the end of run '5 3'"),
        ],
    )
    def test_a_code_that_does_not_decode(
        self, code: str, detail: str, zipped: Path, salty: str
    ) -> None:
        set_code(zipped, salty, code)

        message = message_of(zipped)
        assert f"train.csv: rle_mask that does not decode, 1 of 24: {salty} (" in message
        assert detail in message

    def test_a_code_that_differs_from_its_mask(
        self, unpacked: Path, salty: str, survey: SurveySet
    ) -> None:
        set_code(unpacked, salty, "")

        row = survey.crops.train.index[survey.crops.train["id"] == salty][0]
        pixels = f"{survey.crops.train_masks[row].sum():,}"
        assert message_of(unpacked) == (
            f"{unpacked}/train.csv: rle_mask that differs from the mask in {unpacked}/train/masks, "
            f"1 of 24: {salty} ({pixels} pixels); download both again: one of them is wrong"
        )


class TestPngs:
    @pytest.mark.parametrize("kind", ["train/images", "train/masks", "test/images"])
    def test_a_truncated_file(self, kind: str, unpacked: Path) -> None:
        path = sorted((unpacked / kind).iterdir())[1]
        content = path.read_bytes()
        path.write_bytes(content[:-20])

        total = 8 if "test" in kind else 24
        assert message_of(unpacked) == (
            f"{path.parent}: damaged PNG, 1 of {total}: {path.name} "
            f"(cut off after {len(content) - 20:,} bytes); download and unpack it again"
        )

    @pytest.mark.parametrize("kept", [0, 5, 20, 40, 300, -12, -1])
    def test_a_file_cut_anywhere(self, kept: int, unpacked: Path, salty: str) -> None:
        path = unpacked / "train" / "images" / f"{salty}.png"
        path.write_bytes(path.read_bytes()[:kept])

        assert f"damaged PNG, 1 of 24: {salty}.png (" in message_of(unpacked)

    @pytest.mark.parametrize("offset", [0, 9, 20, 30, 45, 2000, -20, -5])
    def test_a_flipped_bit(self, offset: int, unpacked: Path, salty: str) -> None:
        path = unpacked / "train" / "images" / f"{salty}.png"
        content = bytearray(path.read_bytes())
        content[offset] ^= 4
        path.write_bytes(content)

        assert f"damaged PNG, 1 of 24: {salty}.png (" in message_of(unpacked)

    def test_a_flipped_bit_in_the_pixels(self, unpacked: Path, salty: str) -> None:
        path = unpacked / "train" / "images" / f"{salty}.png"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 4
        path.write_bytes(content)

        assert f"{salty}.png (wrong checksum of the chunk at byte " in message_of(unpacked)

    @pytest.mark.parametrize("recompressed", [True, False])
    def test_missing_pixels_behind_right_checksums(
        self, recompressed: bool, unpacked: Path, salty: str
    ) -> None:
        path = unpacked / "train" / "images" / f"{salty}.png"
        path.write_bytes(half_of_the_rows(path.read_bytes(), recompressed))

        message = message_of(unpacked)
        assert f"damaged PNG, 1 of 24: {salty}.png (its pixels cannot be decoded); " in message

    def test_a_file_that_is_no_png(self, unpacked: Path, salty: str) -> None:
        path = unpacked / "train" / "images" / f"{salty}.png"
        path.write_bytes(b"<html>Please sign in</html>")

        assert f"damaged PNG, 1 of 24: {salty}.png (no PNG); " in message_of(unpacked)

    def test_a_damaged_entry_of_a_zip(self, zipped: Path, salty: str) -> None:
        path = zipped / "train.zip"
        content = bytearray(path.read_bytes())
        content[content.index(f"images/{salty}.png".encode()) + 200] ^= 1
        path.write_bytes(content)

        message = message_of(zipped)
        assert f"{path}/images: damaged PNG, 1 of 24: {salty}.png (Bad CRC-32" in message

    @pytest.mark.parametrize("kind", ["train/images", "train/masks", "test/images"])
    def test_another_size(self, kind: str, unpacked: Path) -> None:
        first, _, last = (sorted((unpacked / kind).iterdir())[at] for at in (0, 1, -1))
        write_png(first, np.zeros((101, 128), dtype=np.uint8))
        write_png(last, np.zeros((64, 101), dtype=np.uint8))

        message = message_of(unpacked)
        assert f"{first.parent}: size other than 101x101, 2 of " in message
        assert f": {first.name} (128x101), {last.name} (101x64); " in message

    @pytest.mark.parametrize("channel", [0, 1, 2])
    def test_unequal_channels(self, channel: int, unpacked: Path, salty: str) -> None:
        path = unpacked / "train" / "images" / f"{salty}.png"
        pixels = read_png(path)
        pixels[3, :7, channel] ^= 1
        write_png(path, pixels)

        message = message_of(unpacked)
        assert "train/images: channels that are not one grey, 1 of 24: " in message
        assert f"{salty}.png (red, green and blue differ in 7 pixels); " in message

    @pytest.mark.parametrize("side", [20_000, 100_000, 2**31 - 1])
    def test_a_size_is_refused_before_it_is_decoded(
        self, side: int, unpacked: Path, salty: str
    ) -> None:
        path = unpacked / "train" / "images" / f"{salty}.png"
        path.write_bytes(with_size(path.read_bytes(), side))

        assert f"{salty}.png ({side}x{side}); " in message_of(unpacked)

    def test_a_channel_too_many(self, unpacked: Path, salty: str) -> None:
        path = unpacked / "train" / "images" / f"{salty}.png"
        write_png(path, np.zeros((101, 101, 4), dtype=np.uint8))

        assert f"{salty}.png (4 channels); " in message_of(unpacked)

    def test_an_image_of_16_bits(self, unpacked: Path, salty: str) -> None:
        path = unpacked / "train" / "images" / f"{salty}.png"
        write_png(path, np.full((101, 101), 999, dtype=np.uint16))

        assert f"wrong number of bits, 1 of 24: {salty}.png (16 bits); " in message_of(unpacked)

    def test_a_mask_of_several_greys(self, unpacked: Path, salty: str) -> None:
        path = unpacked / "train" / "masks" / f"{salty}.png"
        pixels = np.zeros((101, 101), dtype=np.uint8)
        pixels[0, :2] = 127, 255
        write_png(path, pixels)

        message = message_of(unpacked)
        assert f"mask of several greys, 1 of 24: {salty}.png (0, 127 and 255); " in message


def set_code(folder: Path, name: str, code: str) -> None:
    edit(
        folder / "train.csv",
        lambda table: table.assign(rle_mask=table["rle_mask"].mask(table["id"] == name, code)),
    )


def with_size(png: bytes, side: int) -> bytes:
    """Let a PNG's header say another size, with the right checksum."""
    header = b"IHDR" + struct.pack(">II", side, side) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


def half_of_the_rows(png: bytes, recompressed: bool) -> bytes:
    """Cut the compressed pixels of an OpenCV PNG in half, leaving all its checksums right."""
    start, stream = 8, b""
    while start < len(png):
        length, kind = struct.unpack_from(">I4s", png, start)
        stream += png[start + 8 : start + 8 + length] if kind == b"IDAT" else b""
        start += 12 + length
    pixels = zlib.decompress(stream)
    half = zlib.compress(pixels[: len(pixels) // 2]) if recompressed else stream[: len(stream) // 2]
    head = png[8:33]
    return png[:8] + head + _chunk(b"IDAT", half) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))
