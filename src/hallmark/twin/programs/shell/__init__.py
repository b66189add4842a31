"""A shell of ours for containers: it knows two dozen commands, and nothing it runs is a program of this machine."""
