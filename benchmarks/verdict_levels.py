"""Measure how often equal networks are called different, and a detectable difference is found.

    python -m benchmarks.verdict_levels [--repetitions 300] [--images 60 300 6107]

Two networks of equal true accuracy, .81, answer the same images over several runs. Whether an image
is answered rightly depends on its difficulty (shared), on the network, and on the run; runs differ
further in their true accuracy by a standard deviation of 0, .5 or 3 points. Prints, for the test
of `curate experiment` and for a bootstrap over images and runs, the share of repetitions whose
interval leaves out the true difference of 0; .05 is right. Of one and two runs the product gives
no verdict: there the share is of its intervals. The last column is the share found where the true
difference is what the test says is detectable with a power of .8 (its mean over the repetitions).
"""

import argparse
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from webemo_curate.evaluation.significance import LEVEL, compare_runs

ACCURACY = 0.81
DIFFICULTY, OF_NETWORK = 0.80, 0.35
"""Shares of the image and of the network with the image in what decides an answer; the rest is the
run's: two runs of one network then answer 85 % of the images alike, as trained ones do."""

RUN_DEVIATIONS = (0.0, 0.005, 0.03)
RUNS = (1, 2, 3, 5, 10)
IMAGES = (60, 300, 6107)

NORMAL_FROM = 1000
"""Images from which on their draw anew is by its normal limit: drawing them one by one is slow."""

Right = NDArray[np.bool_]


def draw(
    runs: int, images: int, deviation: float, gain: float, random: np.random.Generator
) -> tuple[Right, Right]:
    """Draw what two networks answer rightly; the second's true accuracy is higher by `gain`."""
    rest = np.sqrt(1 - DIFFICULTY**2 - OF_NETWORK**2)
    shared = DIFFICULTY * random.normal(size=images)
    answers = []
    for accuracy in (ACCURACY, ACCURACY + gain):
        # Runs spread in probit units, so that their mean accuracy stays what it should be.
        spread = deviation / norm.pdf(norm.ppf(accuracy))
        level = norm.ppf(accuracy) * np.sqrt(1 + spread**2)
        of_run = spread * random.normal(size=(runs, 1))
        noise = rest * random.normal(size=(runs, images))
        ease = shared + OF_NETWORK * random.normal(size=images) + noise
        answers.append(ease + of_run + level > 0)
    return answers[0], answers[1]


def bootstrap_finds(first: Right, second: Right, draws: int, random: np.random.Generator) -> bool:
    """Tell whether a percentile interval over images and runs drawn anew leaves out 0."""
    gain = second.astype(float) - first
    runs, images = gain.shape
    rows = random.multinomial(runs, np.full(runs, 1 / runs), draws)
    mixed = rows @ gain / runs
    if images < NORMAL_FROM:
        columns = random.multinomial(images, np.full(images, 1 / images), draws)
        means = (mixed * columns).sum(axis=1)
    else:
        error = mixed.std(axis=1) / np.sqrt(images)
        means = mixed.mean(axis=1) + error * random.normal(size=draws)
    low, high = np.quantile(means, [LEVEL / 2, 1 - LEVEL / 2])
    return bool(low > 0 or high < 0)


def rates(
    condition: tuple[float, int, int], repetitions: int, draws: int, random: np.random.Generator
) -> tuple[float, float, float, float]:
    """Return both tests' false positives, the detectable difference, and the share found of it."""
    deviation, images, runs = condition
    ours = theirs = 0
    detectable = []
    for _ in range(repetitions):
        pair = draw(runs, images, deviation, 0.0, random)
        found = compare_runs(*pair)
        ours += found.low > 0 or found.high < 0
        theirs += bootstrap_finds(*pair, draws, random)
        detectable.append(found.detectable)
    gain = float(np.mean(detectable))
    powered = float("nan")
    if ACCURACY + gain < 1:
        pairs = (draw(runs, images, deviation, gain, random) for _ in range(repetitions))
        powered = float(np.mean([compare_runs(*pair).low > 0 for pair in pairs]))
    return ours / repetitions, theirs / repetitions, gain, powered


def main() -> None:
    """Print a line for each condition."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=300)
    parser.add_argument("--draws", type=int, default=400, help="of the bootstrap")
    parser.add_argument("--images", type=int, nargs="+", default=IMAGES)
    arguments = parser.parse_args()
    print(
        "| images | SD of runs, points | runs | crossed | bootstrap | detectable, points | found |"
    )
    print("|---|---|---|---|---|---|---|")
    for images, deviation, runs in product(arguments.images, RUN_DEVIATIONS, RUNS):
        random = np.random.default_rng([images, round(deviation * 1000), runs])
        ours, theirs, gain, powered = rates(
            (deviation, images, runs), arguments.repetitions, arguments.draws, random
        )
        print(
            f"| {images:,} | {deviation * 100:g} | {runs} | {ours:.3f} | {theirs:.3f} "
            f"| {gain * 100:.1f} | {'-' if np.isnan(powered) else f'{powered:.2f}'} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
