"""Values and manifests that hold what Terraform made: ``${bucket_name}`` becomes the output of that name.

Only outputs are put in, and only where they are named: no expressions, so a rendered file can be read beside its
template.
"""

import re
from collections.abc import Mapping
from typing import Any

from hallmark.errors import UsageError

PLACEHOLDER = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")


def render(template: str, outputs: Mapping[str, Any]) -> str:
    """Fill in a template.

    Args:
        template: Text with placeholders.
        outputs: What ``terraform output -json`` printed, or plain values by name.

    Raises:
        UsageError: A placeholder has no output, or one that is not a text or number, or is marked sensitive: a secret
            has no place in a values file.
    """
    return PLACEHOLDER.sub(lambda found: _text(found[1], outputs), template)


def _text(name: str, outputs: Mapping[str, Any]) -> str:
    if name not in outputs:
        raise UsageError(f"Terraform has no output {name}.", "terraform -chdir=terraform/baseline apply")
    output = outputs[name]
    if isinstance(output, Mapping):
        if output.get("sensitive"):
            raise UsageError(f"The output {name} is sensitive: it does not belong in a file.", "use a Secret instead")
        output = output.get("value")
    if not isinstance(output, str | int) or isinstance(output, bool):
        raise UsageError(f"The output {name} is neither text nor a number.", "name one part of it as an output")
    return str(output)
