"""Label hierarchies as data: one YAML file each, built in or the user's own."""

from webemo_curate.taxonomies.loading import (
    AS_LISTED,
    BUILT_IN,
    WEBEMO,
    flat_taxonomy,
    load_taxonomy,
)
from webemo_curate.taxonomies.taxonomy import Taxonomy

__all__ = [
    "AS_LISTED",
    "BUILT_IN",
    "WEBEMO",
    "Taxonomy",
    "flat_taxonomy",
    "load_taxonomy",
]
