"""Text engines behind one protocol, and the rule that turns their boxes into a verdict."""
