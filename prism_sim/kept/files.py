"""Files that appear whole or not at all, and digests of their content."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path


def write_whole(path: Path, content: str | Callable[[Path], None]) -> None:
    """Writes text, or what `content` draws into the path that it is given, beside the place, then moves it there.

    Makes the folder if need be; a link's target is replaced, not the link. Raises OSError, and then leaves what was
    there before; what is there and no file (a folder, a device, a pipe) is refused, never replaced.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        raise OSError(errno.EINVAL, "is no regular file: name another place", str(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path.parent)) from None
    handle, name = tempfile.mkstemp(prefix=".writing-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        if isinstance(content, str):
            temporary.write_text(content, encoding="utf-8")
        else:
            content(temporary)
        os.umask(umask := os.umask(0))
        os.chmod(temporary, 0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:  # named by the place that was asked for
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def digest(paths: Iterable[Path]) -> str:
    """SHA-256 of the files' contents, one after another."""
    total = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
