"""The paper's own figures, to stand beside those measured (doi:10.15837/ijccc.2024.5.6697)."""

from collections.abc import Mapping

PAPER_TEST: Mapping[str, float] = {
    "k0": 81.28,
    "k2": 81.73,
    "k3": 81.79,
    "k4": 81.94,
    "k5": 81.81,
}
"""Accuracy on WEBEmo's test split, percent: follows from table 4's recalls and 3,284 + 2,823
images. Names are those of `pipelines/paper.yaml`; k modules each."""
