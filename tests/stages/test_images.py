"""The images stage describes every stored file, whatever it holds."""

import io

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.stages.tables import manifest
from webemo_curate.config import DecodingConfig, ImagesConfig
from webemo_curate.manifest import empty_table
from webemo_curate.stages.images import ImagesStage


def picture(seed=0, size=(60, 40)):
    blocks = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC)


def encode(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def describe(context, bodies, max_pixels=10**7, **config):
    """Store bodies, run the stage and return its rows by the bodies' names."""
    fetched = {
        name: context.workspace.store_image(content, suffix)
        for name, (content, suffix) in bodies.items()
    }
    fetch = manifest(
        "fetch",
        [
            {"url": name, "sha256": fetched[name], "suffix": suffix, "bytes": len(content)}
            for name, (content, suffix) in bodies.items()
        ],
    )
    stage = ImagesStage(ImagesConfig(**config), DecodingConfig(max_pixels=max_pixels))
    images = stage.run({"fetch": fetch}, context)["images"]
    rows = {row["sha256"]: row for row in images.to_pylist()}
    assert len(rows) == images.num_rows
    return {name: rows[sha256] for name, sha256 in fetched.items()}


def test_decoded_pictures_are_described(context):
    image = picture()
    rows = describe(context, {"a": (encode(image, "PNG"), ".png")})

    row = rows["a"]
    assert (row["decode_status"], row["format"], row["mode"]) == ("ok", "PNG", "RGB")
    assert (row["width"], row["height"]) == (60, 40)
    assert row["phash"] == int(str(imagehash.phash(image)), 16)
    assert row["phash_mirrored"] == int(str(imagehash.phash(ImageOps.mirror(image))), 16)
    reduced = image.convert("L").resize((32, 32), Image.Resampling.LANCZOS)
    assert row["gray"] == reduced.tobytes()
    assert row["color"] == image.resize((4, 4), Image.Resampling.BOX).tobytes()
    assert (context.workspace.root / row["path"]).exists()


def test_equal_pixels_share_a_hash_across_formats_and_orientation(context):
    image = picture()
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying down, shown upright
    lying = image.transpose(Image.Transpose.ROTATE_90)
    rows = describe(
        context,
        {
            "png": (encode(image, "PNG"), ".png"),
            "bmp": (encode(image, "BMP"), ".bmp"),
            "lying": (encode(lying, "PNG", exif=exif), ".png"),
            "other": (encode(picture(1), "PNG"), ".png"),
            "wide": (encode(image.resize((40, 60)), "PNG"), ".png"),
        },
    )

    same = {rows[name]["pixel_hash"] for name in ("png", "bmp", "lying")}
    assert len(same) == 1
    assert (rows["lying"]["width"], rows["lying"]["height"]) == (60, 40)
    assert len(same | {rows["other"]["pixel_hash"], rows["wide"]["pixel_hash"]}) == 3


def test_an_animation_is_described_by_all_its_frames(context):
    blank = Image.new("RGB", (60, 40), "white")

    def content(*seeds):
        pictures = [picture(seed) for seed in seeds]
        return encode(blank, "PNG", save_all=True, append_images=pictures), ".png"

    rows = describe(context, {"one": content(1, 2), "other": content(1, 3)})

    assert all(row["frames"] == 3 and row["frame"] == 1 for row in rows.values())
    assert rows["one"]["phash"] == int(str(imagehash.phash(picture(1))), 16)
    assert rows["one"]["phash"] == rows["other"]["phash"]
    assert rows["one"]["pixel_hash"] != rows["other"]["pixel_hash"]


def test_a_file_that_may_not_be_read_is_not_missing(context):
    content = encode(picture(), "PNG")
    sha256 = context.workspace.store_image(content, ".png")
    path = context.workspace.root / context.workspace.image_path(sha256, ".png")
    path.unlink()
    path.mkdir()  # root reads what it is not allowed to
    fetch = manifest("fetch", [{"url": "u", "sha256": sha256, "suffix": ".png"}])

    (row,) = (
        ImagesStage(ImagesConfig(), DecodingConfig())
        .run({"fetch": fetch}, context)["images"]
        .to_pylist()
    )

    assert row["decode_status"] == "corrupt"
    assert "no regular file" in row["decode_error"]


def test_pixel_hash_depends_on_the_shape(context):
    row = Image.new("RGB", (6, 2), "red")
    column = Image.new("RGB", (2, 6), "red")
    rows = describe(
        context, {"row": (encode(row, "PNG"), ".png"), "column": (encode(column, "PNG"), ".png")}
    )

    assert rows["row"]["pixel_hash"] != rows["column"]["pixel_hash"]


@pytest.mark.parametrize(
    ("damage", "status"),
    [
        (lambda path: path.unlink(), "missing"),
        (lambda path: path.write_bytes(b"something else"), "corrupt"),
    ],
)
def test_a_file_that_vanished_or_changed_is_counted(context, damage, status):
    content = encode(picture(), "PNG")
    sha256 = context.workspace.store_image(content, ".png")
    fetch = manifest("fetch", [{"url": "u", "sha256": sha256, "suffix": ".png"}])
    damage(context.workspace.root / context.workspace.image_path(sha256, ".png"))

    (row,) = (
        ImagesStage(ImagesConfig(), DecodingConfig())
        .run({"fetch": fetch}, context)["images"]
        .to_pylist()
    )

    assert row["decode_status"] == status
    assert row["decode_error"]
    assert row["phash"] is row["gray"] is row["color"] is None


def test_broken_and_huge_files_are_counted_beside_sound_ones(context):
    jpeg = encode(picture(size=(300, 200)), "JPEG")
    rows = describe(
        context,
        {
            "cut": (jpeg[: len(jpeg) // 2], ".jpg"),
            "text": (b"<html>not found</html>", ".jpg"),
            "huge": (encode(picture(size=(400, 400)), "PNG"), ".png"),
            "sound": (encode(picture(), "PNG"), ".png"),
        },
        max_pixels=100_000,
        partition_rows=2,
    )

    assert {name: row["decode_status"] for name, row in rows.items()} == {
        "cut": "corrupt",
        "text": "corrupt",
        "huge": "too_large",
        "sound": "ok",
    }
    # An address in memory would make two runs' manifests differ.
    assert "0x" not in rows["text"]["decode_error"]


def test_urls_that_share_a_body_make_one_row_and_failures_none(context):
    content = encode(picture(), "PNG")
    sha256 = context.workspace.store_image(content, ".png")
    fetch = manifest(
        "fetch",
        [
            {"url": "a", "sha256": sha256, "suffix": ".png"},
            {"url": "b", "sha256": sha256, "suffix": ".png"},
            {"url": "c", "status": "not_found", "suffix": None, "bytes": None},
        ],
    )

    images = ImagesStage(ImagesConfig(), DecodingConfig()).run({"fetch": fetch}, context)["images"]

    assert images["sha256"].to_pylist() == [sha256]


def test_hostile_files_each_get_a_row(context, shared_data):
    files = sorted(path for path in (shared_data / "dev" / "robust").rglob("*") if path.is_file())
    paths = files[::16]
    bodies = {str(path): (path.read_bytes(), ".jpg") for path in paths}

    rows = describe(context, bodies)

    assert len(rows) == len(paths)
    assert all(
        (row["decode_status"] == "ok") == (row["phash"] is not None) for row in rows.values()
    )


def test_nothing_fetched_gives_no_images(context):
    images = ImagesStage(ImagesConfig(), DecodingConfig()).run(
        {"fetch": empty_table("fetch")}, context
    )["images"]

    assert images.equals(empty_table("images"))
