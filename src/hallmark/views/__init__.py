"""Views: typed questions over evidence. Checks read these and nothing else."""
