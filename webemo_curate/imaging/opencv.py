"""Prepare OpenCV for a worker's process."""

from webemo_curate.imaging.guard import guard_process


def prepare_opencv() -> None:
    """Keep OpenCV to one thread, for the runner has a process a core; guard this process."""
    import cv2

    guard_process()
    cv2.setNumThreads(1)
