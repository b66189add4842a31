"""Programs that pods of the twin run, chosen by image name: the standard library and nothing else."""
