"""Decode images so that hostile files cannot crash the program, block it or fill the memory.

Everything that opens an image goes through this package, so that fetch, hashes, text, training and
report see the same pixels. Modules: `formats` (accepted formats), `content` (names for other
content), `work` (the work a file asks for), `essence` (files without their metadata), `decoding`
(limits), `profiles`, `color`, `bands` (modes to RGB), `frame_walk` (frame by frame), `reading`
(what a file shows), `reducing` (smaller pictures of any shape), `structure` (flat pictures),
`measures` (quality), `guard`, `thread_clock` and `freed` (time and memory), `apart` (work in child
processes, which a file may crash), `together` (several files a message), `picture_process` (one of
them), `examiner` (downloaded files examined there), `shown` (pictures loaded there).
"""

from webemo_curate.imaging.apart import Apart, processes
from webemo_curate.imaging.decode_errors import DecodeError, NotAnImageError
from webemo_curate.imaging.decoding import read_file, read_stored
from webemo_curate.imaging.examiner import Examiner, ExamineWorker, Finding
from webemo_curate.imaging.formats import accepted_types
from webemo_curate.imaging.frame_walk import Frame
from webemo_curate.imaging.freed import give_back_after, keep_freed
from webemo_curate.imaging.guard import guard_process
from webemo_curate.imaging.measures import Measures, measure
from webemo_curate.imaging.picture_process import Facts, Made
from webemo_curate.imaging.reading import (
    Looks,
    check_body,
    choose_frame,
    distinct_frames,
    load_frame,
    load_rgb,
    read_looks,
)
from webemo_curate.imaging.reducing import moderate, resized
from webemo_curate.imaging.shown import load_apart

__all__ = [
    "Apart",
    "DecodeError",
    "ExamineWorker",
    "Examiner",
    "Facts",
    "Finding",
    "Frame",
    "Looks",
    "Made",
    "Measures",
    "NotAnImageError",
    "accepted_types",
    "check_body",
    "choose_frame",
    "distinct_frames",
    "give_back_after",
    "guard_process",
    "keep_freed",
    "load_apart",
    "load_frame",
    "load_rgb",
    "measure",
    "moderate",
    "processes",
    "read_file",
    "read_looks",
    "read_stored",
    "resized",
]
