"""``python -m hallmark.twin.release``: the stand-in for ``helm``."""

import sys

from hallmark.twin.release.commands import main

if __name__ == "__main__":
    sys.exit(main())
