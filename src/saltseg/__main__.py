"""The command `saltseg`: its imports take a second, in which Ctrl-C may come."""

from saltseg.plumbing.errors import one_line_errors


def main() -> None:
    """Run the command line; an interruption is one line and code 130 from the start."""
    with one_line_errors():
        from saltseg.cli import app

        app()


if __name__ == "__main__":
    main()
