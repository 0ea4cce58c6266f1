"""Confident learning over answers out of fold, by cleanlab: doubts, scores, the joint of labels.

C. Northcutt, L. Jiang, I. Chuang: Confident Learning: Estimating Uncertainty in Dataset Labels,
JAIR 70 (2021). Each class has a threshold, the mean confidence in it of images under it; an image
counts for the class whose threshold it passes. Those counts make the joint of given and true.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from webemo_curate.optional_packages import require_package


@dataclass(frozen=True)
class Doubts:
    """What the answers say of given labels.

    Attributes
    ----------
    score
        Trust in each given label, 0 to 1: the probability of it, evened out over classes by their
        mean confidences; float64, shape (images,).
    suggested
        The likeliest other class, shape (images,).
    issue
        Whether the given label is taken for wrong: bool, shape (images,).
    joint
        Estimated share of images of each given (row) and true (column) class; sums to 1.
    """

    score: NDArray[np.float64]
    suggested: NDArray[np.int64]
    issue: NDArray[np.bool_]
    joint: NDArray[np.float64]


def doubt(
    given: NDArray[np.int64], probability: NDArray[np.float64], agreement: NDArray[np.float64]
) -> Doubts:
    """Judge given labels by answers of networks that have not seen them.

    Parameters
    ----------
    given : ndarray of int64, shape (images,)
        Classes; each has some images.
    probability : ndarray of float64, shape (images, classes)
        Answers; rows are scaled to sum to 1.
    agreement : ndarray of float64, shape (images,)
        Share of the listed lines of an image's cluster that give its class: 1 where all do. A
        score is multiplied by it, and where lines disagree and the network does not answer with
        the given class, that is taken for wrong.

    Returns
    -------
    Doubts
        In the images' order.
    """
    require_package("cleanlab")
    from cleanlab.count import compute_confident_joint, estimate_joint
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    scaled = probability / probability.sum(axis=1, keepdims=True)
    counts = compute_confident_joint(given, scaled)
    joint = estimate_joint(given, scaled, confident_joint=counts)
    issue = find_label_issues(given, scaled, confident_joint=counts, n_jobs=1)
    trust = get_label_quality_scores(given, scaled, adjust_pred_probs=True)
    others = scaled.copy()
    others[np.arange(len(given)), given] = -1
    disputed = (agreement < 1) & (scaled.argmax(axis=1) != given)
    return Doubts(trust * agreement, others.argmax(axis=1), issue | disputed, joint)
