"""What tests of Ray share: whether this process is in a cluster, and leaving it."""

import sys


def in_a_cluster() -> bool:
    """Tell whether this process has joined a cluster.

    Ray is not imported for it: it reads its environment then, which the runner sets before.
    """
    return "ray" in sys.modules and bool(sys.modules["ray"].is_initialized())


def leave_cluster() -> None:
    """Leave the cluster that this process is in, whoever joined it."""
    if in_a_cluster():
        sys.modules["ray"].shutdown()
