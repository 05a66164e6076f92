"""Files and folders that systems and programs leave beside works."""

from __future__ import annotations

# In lower case. Names with a dot first are passed over too: `._x.jpg` (macOS), `.ipynb_checkpoints`, `.Trash-1000`. So
# are the locks of Office: `~$x.jpg`.
LITTER = frozenset(
    {
        "@eadir", "#recycle", "@recycle", "@recently-snapshot", "#snapshot",  # network storage
        "$recycle.bin", "recycler", "system volume information", "thumbs.db", "ehthumbs.db", "desktop.ini",  # Windows
        "__macosx", "icon\r", "network trash folder", "temporary items",  # macOS
        "lost+found", "__pycache__",
    }
)  # fmt: skip


def is_litter(name: str) -> bool:
    """Whether a file or folder of this name is passed over."""
    return name.startswith((".", "~$")) or name.lower() in LITTER
