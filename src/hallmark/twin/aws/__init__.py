"""The AWS control plane of the twin: moto, the extension that closes its gaps, and the process that serves them."""
