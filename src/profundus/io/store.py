"""Files and folders that appear whole or not at all, whatever happens to the process that writes them."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from profundus.errors import InputError, Problem, ProfundusError, ResourceError

_HOST = re.sub(r"[^A-Za-z0-9]", "", socket.gethostname())[:32] or "host"
_UNFINISHED = re.compile(r"^\.profundus-(?P<host>[A-Za-z0-9]+)-(?P<pid>\d+)-\d+-")
_COUNT = itertools.count()
_CLAIM = "writing"
_HELD: set[str] = set()
_REMEDIES = {
    errno.ENOSPC: "Free some space on this disk, or write to another one",
    errno.EDQUOT: "The quota is used up: free some space, or write elsewhere",
    errno.EACCES: "Ask for the right to write there, or choose another folder",
    errno.EPERM: "Ask for the right to write there, or choose another folder",
    errno.EROFS: "The disk is read-only: choose another folder",
    errno.ENAMETOOLONG: "Choose a shorter name",
    errno.ENOTDIR: "A part of this path is a file: choose another folder",
    errno.EISDIR: "There is a folder of this name: choose another name",
}


def write_whole(path: Path, content: bytes | memoryview | str) -> None:
    """Write a file so that whoever looks at ``path`` sees the old content or the new, never a part. Text is UTF-8.

    Missing parent folders are made. Raises ResourceError that names the place where the disk is full or may not be written.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    write_through(path, lambda unfinished: _write(unfinished, data))


def write_through(path: Path, writer: Callable[[Path], None]) -> None:
    """Let ``writer`` write to a path of its own in the same folder, then move the finished file to ``path``.

    For libraries that insist on opening files themselves. The path handed to ``writer`` has the suffix of ``path``. What ``writer`` raises
    is passed on, an OSError as ResourceError; ``path`` then is what it was before.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = _unfinished(path)
        try:
            writer(unfinished)
            _to_disk(unfinished)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        _to_disk(path.parent)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a folder to be filled; it takes the place of ``path`` when the block ends well, and vanishes when it does not."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished, replaced = _unfinished(path), _unfinished(path)
        unfinished.mkdir()
    try:
        yield unfinished
        with disk_errors(path):
            _to_disk(unfinished)
            if path.exists():
                path.rename(replaced)
            unfinished.rename(path)
            _to_disk(path.parent)
    finally:
        if replaced.exists() and not path.exists():
            replaced.rename(path)
        for leftover in (unfinished, replaced):
            remove(leftover)


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Keep other commands from writing into ``folder``, which is made where it is missing, until the block ends.

    The claim is a file whose name says which process of which machine made it: that of a process of this machine that was killed is swept
    away. Everybody makes his claim before he looks for those of others, so that of two who come at once never both go on. Raises
    InputError that tells who writes there.
    """
    made = not folder.exists()
    if not made and not folder.is_dir():
        raise InputError(Problem("error", "is not a folder", file=str(folder), remedy="Choose another one"))
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
        for left in _claims(folder):
            if _holder(left) == (_HOST, os.getpid()) and left.name not in _HELD:  # a dead process had our number
                remove(left)
        own = _unfinished(folder / _CLAIM)
        _HELD.add(own.name)
        own.touch(exist_ok=False)
    try:
        if others := [_busy(claim) for claim in _claims(folder) if claim != own]:
            raise InputError(others)
        yield
    finally:
        remove(own)
        _HELD.discard(own.name)
        if made and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def sweep(folder: Path) -> tuple[Path, ...]:
    """Remove what dead processes of this machine left in ``folder``, not below it; return what was removed. On Windows: nothing."""
    removed = []
    with disk_errors(folder):
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            match = _UNFINISHED.match(path.name)
            if match and match["host"] == _HOST and not _alive(int(match["pid"])):
                remove(path)
                removed.append(path)
    return tuple(removed)


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it; nothing happens where there is nothing."""
    with disk_errors(path):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def is_unfinished(path: Path) -> bool:
    """Return whether the name is one that this store gives to files and folders that are being written."""
    return _UNFINISHED.match(path.name) is not None


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _claims(folder: Path) -> list[Path]:
    return sorted(folder.glob(f".profundus-*-{_CLAIM}"))


def _holder(claim: Path) -> tuple[str, int]:
    match = _UNFINISHED.match(claim.name)
    return (match["host"], int(match["pid"])) if match else ("", 0)


def _busy(claim: Path) -> Problem:
    host, pid = _holder(claim)
    try:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(claim.stat().st_mtime))
    except FileNotFoundError:  # it has just ended
        since = "a moment ago"
    what = f"another command is writing here: process {pid} of {host}, since {since}"
    remedy = f"Wait until it is over, or end it; if there is no such process any more, remove {claim.name}"
    return Problem("error", what, file=str(claim.parent), remedy=remedy)


def _unfinished(path: Path) -> Path:
    return path.with_name(f".profundus-{_HOST}-{os.getpid()}-{next(_COUNT)}-{path.name[-100:]}")


def _write(path: Path, data: bytes | memoryview) -> None:
    with path.open("xb") as file:
        file.write(data)


def _to_disk(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk; some systems cannot open folders."""
    if path.is_dir() and os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    except OSError:
        if path.is_file():  # some network disks cannot sync a folder
            raise
    finally:
        os.close(handle)


def _alive(pid: int) -> bool:
    if os.name != "posix":  # signal 0 is Ctrl-C there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn an OSError into a ResourceError that names ``path`` and a way out."""
    try:
        yield
    except ProfundusError:
        raise
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "Choose another folder")
        raise ResourceError(f"{path}: cannot be written ({error.strerror or error}). {remedy}.") from error
