"""What a person sees: a scorecard as JSON, in the terminal, as HTML and as JUnit, and the pages of the docs site."""
