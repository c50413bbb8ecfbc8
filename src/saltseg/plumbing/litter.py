"""Files that Finder, Explorer, editors and notebooks leave behind; no stage may depend on them.

.gitignore and .dvcignore list the same patterns, so that git's patch of the code, DVC's folder
hashes and this package's own agree on what counts; a test keeps the three in step.
"""

from fnmatch import fnmatch
from pathlib import PurePath

PATTERNS = (
    ".DS_Store",
    "._*",
    "Thumbs.db",
    "desktop.ini",
    "*.swp",
    "*.swo",
    "*~",
    ".#*",
    "#*#",
    "__pycache__",
    "*.pyc",
    ".ipynb_checkpoints",
    ".idea",
    ".vscode",
    ".saltseg-*",
)
"""Names of files and folders, in the syntax of ignore files."""


def is_litter(path: PurePath) -> bool:
    """Return whether any part of `path`, relative to the folder in question, matches a pattern."""
    return any(fnmatch(part, pattern) for part in path.parts for pattern in PATTERNS)
