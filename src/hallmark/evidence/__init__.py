"""Evidence: what was observed of a target, once, redacted. A grade is a pure function of it."""
