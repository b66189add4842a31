"""The twin: the reference architecture on one machine, without an account. For practice, never for a certificate."""
