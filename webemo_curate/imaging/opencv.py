"""Prepare OpenCV for a worker process."""

from webemo_curate.imaging.guard import guard_process


def prepare_opencv() -> None:
    """Limit OpenCV to one thread, as the runner has a process a core; guard this process."""
    import cv2

    guard_process()
    cv2.setNumThreads(1)
