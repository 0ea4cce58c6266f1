"""The columns of manifests on doubted labels: made when asked for, by no run of the pipeline."""

import pyarrow as pa

from webemo_curate.fields import ENUM, SHA256, column

OUT_OF_FOLD = pa.schema(
    [
        SHA256,
        column("label", pa.string(), "the label that it stood under"),
        column("target", pa.int8(), "number of the class that it stood under; names: `classes`"),
        column("fold", pa.int8(), "its part, from 0: whole groups"),
        column(
            "probability",
            pa.list_(pa.float32()),
            "of each class, by the network that was trained on the other folds",
        ),
    ]
)

LABEL_ISSUES = pa.schema(
    [
        column("rank", pa.int32(), "place by score, from 1: the most doubtful"),
        SHA256,
        column("label", pa.string(), "the label that it stood under"),
        column("given", ENUM, "the class doubted, or the label itself (--doubt labels)"),
        column("suggested", ENUM, "the likeliest other one"),
        column("score", pa.float64(), "trust in what is given, 0 to 1, low is bad"),
        column("given_probability", pa.float32(), "out of fold"),
        column("suggested_probability", pa.float32(), "out of fold"),
        column("lines", pa.int32(), "listed lines of its cluster"),
        column("other_lines", pa.int32(), "those of them that give another one"),
        column("issue", pa.bool_(), "whether confident learning takes it for wrong"),
    ]
)

LABEL_NOISE = pa.schema(
    [
        column("given", ENUM, "the class or label as given"),
        column("likely", ENUM, "the one that it may be in truth"),
        column("share", pa.float64(), "estimated share of all images that are so"),
    ]
)

DOUBTS: dict[str, pa.Schema] = {
    "out_of_fold": OUT_OF_FOLD,
    "label_issues": LABEL_ISSUES,
    "label_noise": LABEL_NOISE,
}
"""What `label-issues` writes."""
