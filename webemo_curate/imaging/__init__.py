"""Image decoding that hostile files cannot turn into a crash, a hang or a full memory.

Everything that opens an image goes through here, so that fetch, hashes, text, training and report
see the same pixels. Modules: `formats` (what is accepted), `content` (what else there is),
`work` (what a file asks for), `essence` (files without their metadata), `decoding` (bounds),
`profiles` and `color` (modes to RGB), `frame_walk` (frame by frame), `reading` (what a file shows),
`structure` (what is flat), `guard` (time and memory), `examiner` (files of strangers, examined in
another process).
"""

from webemo_curate.imaging.decode_errors import DecodeError, NotAnImageError
from webemo_curate.imaging.decoding import read_file, read_stored
from webemo_curate.imaging.examiner import Examiner, ExamineWorker, Finding
from webemo_curate.imaging.formats import accepted_types
from webemo_curate.imaging.frame_walk import Frame
from webemo_curate.imaging.guard import guard_process
from webemo_curate.imaging.reading import (
    Looks,
    check_body,
    choose_frame,
    distinct_frames,
    load_frame,
    load_rgb,
    read_looks,
)

__all__ = [
    "DecodeError",
    "ExamineWorker",
    "Examiner",
    "Finding",
    "Frame",
    "Looks",
    "NotAnImageError",
    "accepted_types",
    "check_body",
    "choose_frame",
    "distinct_frames",
    "guard_process",
    "load_frame",
    "load_rgb",
    "read_file",
    "read_looks",
    "read_stored",
]
