"""Where a pod may run and where it runs best: the scheduler's filters and scores, as pure functions over objects."""
