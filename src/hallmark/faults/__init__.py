"""Faults: reversible changes that produce a documented symptom, each with guard, journal, time to live and revert."""
