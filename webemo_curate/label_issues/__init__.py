"""Labels that a network doubts: answers out of fold, confident learning, a ranked table."""
