"""Targets: where a system under grading lives and how it is reached. Only this package reaches the world."""
