"""dvc that ends soon after its parent process, however the parent ended.

    python -m saltseg.project.watched_dvc PARENT ARGUMENTS...   # project.dvc_process starts it

A killed process cannot clean up, so its child has to watch it.
"""

import sys

from saltseg.project.processes import end_group_with


def main() -> None:
    """Run dvc, and watch the parent in a thread."""
    parent, arguments = int(sys.argv[1]), sys.argv[2:]
    end_group_with(parent)
    from dvc.cli import main as dvc  # takes a second, during which the parent may end

    sys.argv = ["dvc", *arguments]
    sys.exit(dvc(arguments))


if __name__ == "__main__":
    main()
