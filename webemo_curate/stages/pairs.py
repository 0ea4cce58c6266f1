"""The pairs stage: measure pairs of images that may be one picture; the dedup stage decides."""

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from webemo_curate.config import DecodingConfig, DedupConfig, MatchingConfig
from webemo_curate.duplicates.compare import Prover
from webemo_curate.duplicates.known_looks import COLUMNS, NOTHING_KNOWN, KnownLooks
from webemo_curate.duplicates.links import link_looks
from webemo_curate.duplicates.local_words import words_by_hash
from webemo_curate.duplicates.looks import LOOKS, looks_of
from webemo_curate.duplicates.measuring import Measuring
from webemo_curate.duplicates.meetings import by_threads
from webemo_curate.duplicates.pair_search import PairSearch
from webemo_curate.duplicates.word_search import WordSearch
from webemo_curate.errors import InputError
from webemo_curate.frames import to_frame
from webemo_curate.match_schemas import PAIRS
from webemo_curate.runner.local_runner import LocalRunner
from webemo_curate.stages.compared_images import (
    CLEAN_COLUMNS,
    ComparingStage,
    clean_names,
    first_of_pixels,
    linked_pixels,
    make_clean,
)
from webemo_curate.stages.stage import StageContext, Tables
from webemo_curate.table_digest import content_digest
from webemo_curate.table_engine import TableEngine
from webemo_curate.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd


class PairsStage(ComparingStage[MatchingConfig]):
    """Compares pictures in pairs, and stores the measures of each pair, match or not.

    Which pairs are measured depends on the images and on dedup's default limits. Dedup applies its
    configured limits to these measures.
    """

    name = "pairs"
    version = 5
    inputs: ClassVar = {
        "images": (*CLEAN_COLUMNS, "path", *LOOKS),
        "text": ("sha256", "verdict"),
        "features": ("sha256", "words"),
    }
    outputs = ("pairs",)

    def __init__(
        self, config: MatchingConfig, decoding: DecodingConfig, *, by_quality: bool = False
    ) -> None:
        super().__init__(config, by_quality=by_quality)
        self._decoding = decoding

    def run(self, tables: Tables, context: StageContext) -> dict[str, pa.Table]:
        """Measure pairs, whole frames first, then crops and captions; see `Stage.run`."""
        if not self.config.perceptual:
            return {"pairs": PAIRS.empty_table()}
        compared = {name: table for name, table in tables.items() if name != "features"}
        with TableEngine(context.workspace.root, compared, context.memory) as engine:
            make_clean(engine, by_quality=self._by_quality)
            names, links = clean_names(engine), linked_pixels(first_of_pixels(engine))
        place = pc.index_in(pa.array(names, pa.string()), tables["images"]["sha256"])
        images = to_frame(tables["images"].select(["sha256", "path", *LOOKS]).take(place))
        measuring = self._measuring(images, tables["features"], context)
        link_looks(links, measuring, DedupConfig())
        return {"pairs": measuring.table(links)}

    def _measuring(
        self, images: "pd.DataFrame", features: pa.Table, context: StageContext
    ) -> Measuring:
        names = images["sha256"].to_list()
        prover = Prover(
            context.workspace.images,
            context.runner,
            context.workspace.checkpoints(self.name, context.fingerprint),
            self.config.partition_rows,
            self._decoding.max_pixels,
            self._known(context.workspace),
        )
        words = words_by_hash(names, features)
        searching = context.workspace.store, context.runner, prover.checkpoints
        # Keypoints meet faster in this process: others would have to hand over what they found.
        here = isinstance(context.runner, LocalRunner)
        return Measuring(
            looks_of(images),
            names,
            words,
            self.config.reach,
            prover.prove,
            PairSearch(*searching),
            by_threads if here else WordSearch(*searching),
        )

    def _known(self, workspace: Workspace) -> KnownLooks:
        """Return the measures of an earlier run of the same version, if they are unchanged."""
        info = workspace.info("pairs")
        if info is None or (info.origin.stage, info.origin.stage_version) != (
            self.name,
            self.version,
        ):
            return NOTHING_KNOWN
        try:
            pairs = workspace.read("pairs")
        except InputError:
            return NOTHING_KNOWN
        sound = content_digest(pairs) == info.digest
        return KnownLooks(pairs.select(COLUMNS)) if sound else NOTHING_KNOWN
