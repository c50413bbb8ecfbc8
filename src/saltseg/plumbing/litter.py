"""What Finder, Explorer, editors and notebooks leave in folders, and no stage may notice.

.gitignore and .dvcignore list the same patterns, so that git's patch of the code, DVC's hashes of
folders and this package's own agree on what counts; a test holds them together.
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
"""Names of files and folders, as git's and DVC's ignore files write them."""


def is_litter(path: PurePath) -> bool:
    """Tell whether a part of `path`, relative to the folder in question, has such a name."""
    return any(fnmatch(part, pattern) for part in path.parts for pattern in PATTERNS)
