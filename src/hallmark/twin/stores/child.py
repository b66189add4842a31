"""What stands between a store's server and us for a moment: it becomes the server, tied to our life and without root.

``python -I -S child.py PARENT ACCOUNT PROGRAM ARGUMENTS...``. The work is done here, after the fork and in a process
of its own, since the one that starts servers has threads. ACCOUNT is a user id, or ``-`` for "as we are".

PostgreSQL refuses to run as root. Whoever it runs as instead keeps one right of root's: to pass directories that are
closed to others, as the state directory and the Python environment are often below ``/root``.
"""

import ctypes
import os
import sys
from pathlib import Path

PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION = 0x20080522
AS_WE_ARE = "-"


def main(parent: str, account: str, program: str, *arguments: str) -> None:
    """Become the program."""
    from hallmark.twin.programs.zygote import die_with  # noqa: PLC0415  (the path to it is known by now)

    if account != AS_WE_ARE:
        become(int(account))
    die_with(int(parent))  # after the change of user, which would undo it
    os.execv(program, [program, *arguments])  # noqa: S606  (there is no shell here)


def become(account: int) -> None:
    """Give up root for another user, but for the right to pass closed directories where the kernel grants that."""
    libc = ctypes.CDLL(None, use_errno=True)
    linux = sys.platform == "linux"
    if linux:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(account)
    os.setuid(account)
    if linux:
        rights = 1 << CAP_DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
        libc.capset(header, (ctypes.c_uint32 * 6)(rights, rights, rights, 0, 0, 0))
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


if __name__ == "__main__":
    # Isolated and without site-packages, so that it is gone in no time.
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    main(*sys.argv[1:])
