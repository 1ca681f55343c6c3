"""The text that every Python brings along: docstrings of the standard library by chapters of its manual, and topics.

It differs a little between versions of Python; `Splits.digest` tells which one a result is of.
"""

from __future__ import annotations

import ast
import hashlib
import sysconfig
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from prism_sim.tasks.base import DataError

# top-level modules by chapters of the library manual, or several chapters in one; names that a version lacks are
# skipped; tkinter and idlelib are left out, for some distributions ship Python without them
CHAPTERS: Mapping[str, tuple[str, ...]] = {
    "data types and numbers": (
        *("_collections_abc", "_pydatetime", "_pydecimal", "bisect", "calendar", "collections", "colorsys", "copy"),
        *("datetime", "difflib", "enum", "fractions", "graphlib", "heapq", "numbers", "pprint", "random", "re"),
        *("reprlib", "statistics", "string", "textwrap", "types", "weakref", "zoneinfo"),
    ),
    "files and formats": (
        *("_pyio", "bz2", "codecs", "configparser", "csv", "dbm", "filecmp", "fileinput", "fnmatch", "glob", "gzip"),
        *("json", "lzma", "netrc", "os", "pathlib", "pickle", "pickletools", "plistlib", "shelve", "shutil", "sqlite3"),
        *("stat", "tarfile", "tempfile", "tomllib", "xml", "zipfile"),
    ),
    "concurrency and networking": (
        *("asyncio", "concurrent", "multiprocessing", "queue", "sched", "selectors", "signal", "socket"),
        *("socketserver", "ssl", "subprocess", "threading"),
    ),
    "internet and mail": (
        *("base64", "email", "ftplib", "html", "http", "imaplib", "ipaddress", "mailbox", "mimetypes", "poplib"),
        *("quopri", "smtplib", "urllib", "uuid", "webbrowser", "wsgiref", "xmlrpc"),
    ),
    "development and diagnosis": (
        *("bdb", "cmd", "code", "cProfile", "doctest", "logging", "pdb", "profile", "pstats", "pydoc", "timeit"),
        *("trace", "traceback", "tracemalloc", "unittest", "warnings"),
    ),
    "language and imports": (
        *("_py_abc", "abc", "ast", "compileall", "contextlib", "dataclasses", "dis", "functools", "importlib"),
        *("inspect", "modulefinder", "opcode", "operator", "pkgutil", "py_compile", "pyclbr", "runpy", "site"),
        *("symtable", "sysconfig", "token", "tokenize", "typing", "venv", "zipapp", "zipimport"),
    ),
}
Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Document:
    """What belongs together and is never split between training and testing.

    A module's own docstring, a top-level function's, a top-level class's with those within it; or a topic.
    """

    place: str
    name: str
    chapter: str
    text: str


@cache
def documents() -> tuple[Document, ...]:
    """Of all chapters, in the order of the files; no docstring comes twice. Raises DataError if there are none."""
    root = Path(sysconfig.get_paths()["stdlib"])
    seen: set[str] = set()
    found = []
    for chapter, modules in CHAPTERS.items():
        for module in sorted(modules):
            for path in _files(root, module):
                place = path.relative_to(root).as_posix()
                for name, docstrings in _definitions(path):
                    new = [text for text in dict.fromkeys(docstrings) if text not in seen]
                    seen.update(new)
                    if new:
                        found.append(Document(place, name, chapter, "\n\n".join(new)))
    if not found:
        raise DataError(f"{root} holds no source of the standard library; this task needs a Python that has it")
    return tuple(found)


@cache
def topics() -> tuple[Document, ...]:
    """Sections of the language manual, as `help()` shows them. Raises DataError if this Python has none."""
    try:
        from pydoc_data.topics import topics as texts
    except ImportError:
        raise DataError("this Python lacks pydoc_data.topics, which this task is made of; install it whole") from None
    return tuple(Document("topics", name, "language reference", text.strip()) for name, text in sorted(texts.items()))


def split(found: Iterable[Document], shares: Mapping[str, float]) -> dict[str, list[Document]]:
    """Whole documents to the parts by their shares of each chapter's characters; the first part takes what is left.

    The order in which they are dealt comes from a digest of their names: every version of Python deals them alike.
    """
    parts: dict[str, list[Document]] = {name: [] for name in shares}
    by_chapter: dict[str, list[Document]] = {}
    for document in found:
        by_chapter.setdefault(document.chapter, []).append(document)
    first, *others = shares
    for together in by_chapter.values():
        dealt = sorted(together, key=lambda one: hashlib.sha256(f"{one.place} {one.name}".encode()).digest())
        wanted = {name: shares[name] * sum(len(one.text) for one in together) for name in others}
        for document in dealt:
            part = next((name for name in others if wanted[name] >= len(document.text) / 2), first)
            if part != first:
                wanted[part] -= len(document.text)
            parts[part].append(document)
    return {name: sorted(part, key=lambda one: (one.place, one.name)) for name, part in parts.items()}


def passages(part: Sequence[Document], most_words: int, fewest_words: int) -> list[tuple[str, str]]:
    """Text and chapter of runs of at most `most_words`, from the documents of one file one after another."""
    found = []
    by_place: dict[tuple[str, str], list[str]] = {}
    for document in part:
        by_place.setdefault((document.place, document.chapter), []).extend(document.text.split())
    for (_, chapter), words in by_place.items():
        for start in range(0, len(words), most_words):
            run = words[start : start + most_words]
            if len(run) >= fewest_words:
                found.append((" ".join(run), chapter))
    return found


def _files(root: Path, module: str) -> list[Path]:
    """The files of a top-level module or package, without tests."""
    single = root / f"{module}.py"
    if single.is_file():
        return [single]
    return sorted(path for path in (root / module).rglob("*.py") if not {"test", "tests"} & set(path.parts))


def _definitions(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Names of a file's top-level definitions, and the docstrings of each; first the module's own, nameless."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # of string literals, and no business of ours
        tree = ast.parse(path.read_bytes())
    yield "", [text] if (text := ast.get_docstring(tree)) else []
    for top in tree.body:
        if isinstance(top, Definition):
            within = [node for node in ast.walk(top) if isinstance(node, Definition)]
            yield top.name, [text for node in within if (text := ast.get_docstring(node))]
