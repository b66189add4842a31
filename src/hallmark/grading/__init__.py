"""Grading: checks are run on evidence, verdicts become a scorecard."""
