"""The columns of manifests about shared pictures: features, pairs, duplicates, test sets."""

import pyarrow as pa

from webemo_curate.fields import ENUM, SHA256, column

FEATURES = pa.schema(
    [
        SHA256,
        column(
            "words",
            pa.list_(pa.uint32()),
            "hashed SIFT descriptors, four words a keypoint; empty if not sought",
        ),
    ]
)

PAIRS = pa.schema(
    [
        column("first", pa.string(), "SHA-256 of the image that would be the keeper of the two"),
        column("second", pa.string(), "SHA-256 of the other"),
        column("method", ENUM, "what proposed the pair: phash, grays or features"),
        column(
            "placing",
            ENUM,
            "how one was laid on the other: reduced (gray values of 32 x 32), whole (frames), or "
            "keypoints; a pair has a row for each that was tried",
        ),
        column("mirrored", pa.bool_(), "whether the second was compared as its mirror image"),
        column(
            "distance",
            pa.int16(),
            "bits by which the hashes differ, where they proposed the pair",
            nullable=True,
        ),
        column("clear", pa.bool_(), "whether the reduced images alone say that both are the same"),
        column("correlation", pa.float32(), "of the gray values where the two overlap"),
        column("inliers", pa.int32(), "keypoints that agree on the placing", nullable=True),
        column("placed", pa.float32(), "their share of all that were matched", nullable=True),
        column(
            "overlap",
            pa.float32(),
            "overlapping area, as a share of the smaller image",
            nullable=True,
        ),
        column(
            "agreeing",
            pa.float32(),
            "share of the area with structure that has not changed",
            nullable=True,
        ),
        column(
            "changed",
            pa.float32(),
            "largest part in which the two differ, as a share of their overlap",
            nullable=True,
        ),
    ]
)

CORRELATION = "of the gray values with the matched image, where the two overlap"

DUPLICATES = pa.schema(
    [
        SHA256,
        column("cluster", pa.string(), "SHA-256 of the cluster's keeper"),
        column("keeper", pa.bool_(), "true for the one image kept of the cluster"),
        column("matched", pa.string(), "the image it was compared with; itself for a keeper"),
        column("method", ENUM, "keeper, pixels, phash or features"),
        column(
            "distance",
            pa.float32(),
            "to the matched image: bits for phash, 1 - correlation of gray values for features",
            nullable=True,
        ),
        column("threshold", pa.float32(), "largest distance of the method", nullable=True),
        column("correlation", pa.float32(), CORRELATION, nullable=True),
        column("verdict", ENUM, "keeper, exact_duplicate or near_duplicate"),
        column("group", pa.string(), "clusters of one stock asset or of siblings; never split"),
        column(
            "sibling_of",
            pa.string(),
            "the image of another cluster that is nearest to being the same: one scene, another "
            "face, pose or place of a thing",
            nullable=True,
        ),
        column(
            "sibling_score",
            pa.float32(),
            "largest part in which the two differ, as a share of their overlap",
            nullable=True,
        ),
        column(
            "by",
            ENUM,
            "rule, or review where a person joined, kept apart or confirmed it (method review: "
            "joined, without a distance); there if people decided any",
            later=True,
        ),
    ]
)

SHARED = pa.schema(
    [
        column("path", pa.string(), "file of the external set"),
        SHA256,
        column("matched", pa.string(), "SHA-256 of a clean image of the workspace like it"),
        column("group", pa.string(), "that image's group, which stands in one split"),
        column("method", ENUM, "pixels, phash or features"),
        column("distance", pa.float32(), "as in the duplicates manifest"),
        column("threshold", pa.float32(), "largest distance of the method"),
        column("correlation", pa.float32(), CORRELATION),
        column("sibling", pa.bool_(), "one scene, another face or pose: not the same picture"),
    ]
)
