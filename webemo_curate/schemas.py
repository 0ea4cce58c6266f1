"""The columns of every manifest, with their types and descriptions."""

import pyarrow as pa

from webemo_curate.fields import COLOR, ENUM, GRAY, SHA256, TEXT_BOX, TIMESTAMP, column
from webemo_curate.label_schemas import DOUBTS
from webemo_curate.map_schemas import MAP
from webemo_curate.match_schemas import DUPLICATES, FEATURES, PAIRS, SHARED
from webemo_curate.quality_schemas import MEASURES, QUALITY
from webemo_curate.verdicts import DOWNLOAD_STATUSES, DecodeStatus, Split

LISTING = pa.schema(
    [
        column("source", ENUM, "name of the list file"),
        column("line", pa.int32(), "line in that file, from 1"),
        column("url", pa.string(), "image URL as listed"),
        column("asset_id", pa.string(), "stock asset the URL names", nullable=True),
        column("label", ENUM, "one of the 25 labels, spelled as published", nullable=True),
        column("emotion", ENUM, "level-2 emotion of the label", nullable=True),
        column("polarity", ENUM, "level-3 polarity of the label: + or -", nullable=True),
        column("official_split", ENUM, "train or test, as WEBEmo's authors split", nullable=True),
        column("file", pa.string(), "the row's local file, below its source's folder", later=True),
        column("group", pa.string(), "author, album or the like: never split", later=True),
        column("row_id", pa.string(), "the row's own name", later=True),
        column("problem", pa.string(), "why it is a bad row", later=True),
    ]
)

FETCH = pa.schema(
    [
        column("url", pa.string(), "image URL as listed; each distinct URL stands once"),
        column("status", ENUM, "how the download ended: " + ", ".join(DOWNLOAD_STATUSES)),
        column("http_status", pa.int16(), "last HTTP status code seen", nullable=True),
        column("error_class", pa.string(), "what went wrong, in a word or two", nullable=True),
        column("attempts", pa.int16(), "requests made", volatile=True),
        column("started", TIMESTAMP, "when the first request began", nullable=True, volatile=True),
        column("finished", TIMESTAMP, "when the outcome was known", nullable=True, volatile=True),
        column("bytes", pa.int64(), "length of the stored body", nullable=True),
        column("content_type", pa.string(), "Content-Type the server gave", nullable=True),
        column("final_url", pa.string(), "where redirects ended", nullable=True),
        column("sha256", pa.string(), "SHA-256 of the body as served, in hex", nullable=True),
        column("suffix", ENUM, "file suffix by content, such as .jpg", nullable=True),
    ]
)

IMAGES = pa.schema(
    [
        SHA256,
        column("path", pa.string(), "stored file, relative to the workspace"),
        column("bytes", pa.int64(), "file size"),
        column("decode_status", ENUM, "whether it decodes: " + ", ".join(DecodeStatus)),
        column("decode_error", pa.string(), "what is wrong with it", nullable=True),
        column("format", ENUM, "image format by content", nullable=True),
        column("width", pa.int32(), "pixels, after EXIF orientation", nullable=True),
        column("height", pa.int32(), "pixels, after EXIF orientation", nullable=True),
        column("mode", ENUM, "Pillow mode in which it is decoded", nullable=True),
        column("frames", pa.int32(), "frames of an animation; 1: a still", nullable=True),
        column(
            "frame",
            pa.int32(),
            "the frame, from 0, that stands for the image: the first that is not flat",
            nullable=True,
        ),
        column(
            "pixel_hash",
            pa.string(),
            "SHA-256 of size and RGB pixels of all frames, in hex",
            nullable=True,
        ),
        column("phash", pa.uint64(), "imagehash.phash, 64 bits, first bit highest", nullable=True),
        column("phash_mirrored", pa.uint64(), "the same of the mirrored image", nullable=True),
        column(
            "gray",
            GRAY,
            "32 x 32 gray values, row by row, that the hashes are computed from",
            nullable=True,
        ),
        column("color", COLOR, "4 x 4 mean colors, row by row, RGB", nullable=True),
    ]
)

OCR = pa.schema(
    [
        SHA256,
        column("engine", ENUM, "text engine"),
        column("engine_version", ENUM, "version of the engine and its models"),
        column("readable", pa.bool_(), "false if no engine could read the image"),
        column("error", pa.string(), "why it could not be read", nullable=True),
        column("boxes", pa.list_(TEXT_BOX), "text boxes found, down to the score floor"),
    ]
)

TEXT = pa.schema(
    [
        SHA256,
        column("engine", ENUM, "text engine"),
        column("engine_version", ENUM, "version of the engine and its models"),
        column("boxes", pa.list_(TEXT_BOX), "text boxes found, down to the score floor"),
        column("score", pa.float32(), "largest recognition confidence of a box that counts"),
        column("area", pa.float32(), "fraction of the image under confirmed text"),
        column("text", pa.string(), "confirmed text, boxes joined by blanks"),
        column("threshold", pa.float32(), "confidence the best box had to reach", nullable=True),
        column("verdict", ENUM, "clean, text or unreadable"),
        column("by", ENUM, "rule or review; there if people decided any", later=True),
        column("ruled", ENUM, "the rule's own verdict, where a person decided", later=True),
    ]
)

LABELS = pa.schema(
    [
        column("cluster", pa.string(), "SHA-256 of the cluster's keeper"),
        column("labels", pa.list_(pa.string()), "every label the cluster stands under, sorted"),
        column(
            "label",
            pa.string(),
            "the commonest of the deciding labels, first by name if tied",
            nullable=True,
        ),
        column("target", pa.int8(), "1 positive, 0 others; null if not kept", nullable=True),
        column("positive_votes", pa.int32(), "listed lines under a positive label"),
        column("other_votes", pa.int32(), "listed lines under another label"),
        column("conflict", pa.bool_(), "true if labels of both classes are there"),
        column("verdict", ENUM, "kept, label_conflict or label_excluded"),
        column(
            "by",
            ENUM,
            "rule, or review where a person chose the label or dropped it (label_dropped); there "
            "if people decided any",
            later=True,
        ),
        column("ruled", ENUM, "the rule's own verdict, where a person decided", later=True),
        column("ruled_label", pa.string(), "the label that the rule gives there", later=True),
    ]
)

SAMPLE = pa.schema(
    [
        SHA256,
        column("target", pa.int8(), "1 positive, 0 others"),
        column("label", pa.string(), "the deciding 25-level label"),
        column("kept", pa.bool_(), "false if undersampling left it out"),
        column("seed", pa.int64(), "the draw's seed"),
        column("reason", ENUM, "label_issue: its label is too doubtful", later=True),
        column("score", pa.float64(), "of label_issues, where it left for that", later=True),
        column("threshold", pa.float64(), "what it had to reach", later=True),
    ]
)

SPLIT = pa.schema(
    [
        column("path", pa.string(), "stored file, relative to the workspace"),
        SHA256,
        column("target", pa.int8(), "1 the positive class, 0 others; names: `classes`"),
        column("label", pa.string(), "the deciding 25-level label"),
        column("labels", pa.list_(pa.string()), "every label the image stands under"),
        column("group", pa.string(), "related pictures; a group never crosses splits"),
        column("width", pa.int32(), "pixels"),
        column("height", pa.int32(), "pixels"),
        column(
            "url",
            pa.string(),
            "a URL the image was fetched from, first by name; its file in an added folder",
        ),
    ]
)

DECISIONS = pa.schema(
    [
        column("stage", ENUM, "stage that dropped it"),
        column("reason", ENUM, "why"),
        column("url", pa.string(), "the URL, where it left before it was an image", nullable=True),
        column("sha256", pa.string(), "the image, where it left as one", nullable=True),
        column("listed_rows", pa.int32(), "lines of the lists that end here"),
        column("score", pa.float64(), "what was measured", nullable=True),
        column("threshold", pa.float64(), "what it was held against", nullable=True),
        column("by", ENUM, "rule or review; there if people decided any", later=True),
    ]
)

REVIEWS = pa.schema(
    [
        column("entry", pa.int64(), "place among all entries, from 1"),
        column("kind", ENUM, "what was asked: text, duplicate or label"),
        column("sha256", pa.string(), "the picture; of a pair the one whose hash comes first"),
        column("other", pa.string(), "the second picture of a pair", nullable=True),
        column(
            "decision",
            pa.string(),
            "keep or drop (text), same or different (duplicate), a label or drop (label); undo "
            "takes back the reviewer's last decision on the case",
        ),
        column("reviewer", pa.string(), "who decided"),
        column("time", pa.timestamp("us", tz="UTC"), "when"),
        column("score", pa.float64(), "what was shown of the rule's measure", nullable=True),
        column("threshold", pa.float64(), "what it was shown to be held against", nullable=True),
        column("note", pa.string(), "own words, or the name of a blind sample", nullable=True),
    ]
)

MANIFESTS: dict[str, pa.Schema] = {
    "listing": LISTING,
    "fetch": FETCH,
    "images": IMAGES,
    "measures": MEASURES,
    "quality": QUALITY,
    "ocr": OCR,
    "text": TEXT,
    "features": FEATURES,
    "pairs": PAIRS,
    "duplicates": DUPLICATES,
    "labels": LABELS,
    "sample": SAMPLE,
    Split.TRAIN: SPLIT,
    Split.VALIDATION: SPLIT,
    Split.TEST: SPLIT,
    "decisions": DECISIONS,
}

"""Manifests that the pipeline writes."""

CAME_LATER = {"measures", "quality"}
"""Manifests that workspaces of an earlier release lack, without being damaged."""

ON_DEMAND = DOUBTS | {"map": MAP}
"""What commands write when they are asked, and no run of the pipeline: evidence, like reviews."""

SCHEMAS = MANIFESTS | ON_DEMAND | {"shared": SHARED, "reviews": REVIEWS}
"""All manifests: those of the pipeline; those that commands make on demand; `shared-NAME`, the
pictures that an external set shares with the workspace, one row for each match; and `reviews`,
people's decisions, an input that no stage writes."""

NULLABLE_WHERE_NEEDED: dict[str, frozenset[str]] = {
    "listing": frozenset({"label", "emotion", "polarity"}),
    "labels": frozenset({"label"}),
    "duplicates": frozenset({"distance"}),
}
"""Columns that a file declares as never null, unless one of its rows lacks the value."""

NOTES: dict[tuple[str, str], str] = {
    ("listing", "source"): "name of the list, table or folder",
    ("listing", "line"): "row of a table as spreadsheets count (the header is 1), file of a folder",
    ("listing", "url"): "of a local file `file:` and its place; of a bad row `row:` and its place",
    ("listing", "label"): "the label as listed, of any taxonomy",
    ("listing", "emotion"): "class of level 2 of any taxonomy that has one",
    ("listing", "polarity"): "class of level 3 of any taxonomy that has one",
    ("listing", "official_split"): "train, validation or test, as the collection says",
    ("fetch", "status"): "local: a local file, taken; bad_row: a malformed row, skipped",
    ("labels", "verdict"): "unlabeled: no label at all",
    ("labels", "target"): "number of the class of level 2 or of the label; names: `classes`",
    ("labels", "positive_votes"): "of several classes: listed lines of the class that has most",
    ("labels", "conflict"): "of several classes: labels of more than one are there",
    ("sample", "target"): "number of the class of level 2 or of the label; names: `classes`",
    ("train", "target"): "number of the class of level 2 or of the label",
    ("validation", "target"): "number of the class of level 2 or of the label",
    ("test", "target"): "number of the class of level 2 or of the label",
}
"""Meaning of columns where it differs for collections other than WEBEmo's lists."""

SORT_KEYS: dict[str, tuple[str, ...]] = {
    "listing": ("source", "line"),
    "fetch": ("url",),
    "pairs": ("first", "second", "method", "placing"),
    "labels": ("cluster",),
    "decisions": ("stage", "reason", "url", "sha256"),
    "label_issues": ("rank",),
    "label_noise": ("given", "likely"),
    "shared": ("path", "matched"),
    "reviews": ("entry",),
}
"""Sort keys of manifests that are not sorted by `sha256`; each row's keys are unique."""
