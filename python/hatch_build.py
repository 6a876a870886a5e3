"""Build hook for the platform wheel, which contains the library.

Promise: if TFA_LIBRARY names a libtfa.so, the wheel contains that file beside the package, and its tag names the processor
and the oldest glibc that has every symbol version the file requires. Otherwise the wheel is pure Python and uses the
system's library.
"""

import os
import platform
import re
from typing import Any, Dict

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def platform_tag(library: bytes) -> str:
    """manylinux_2_N: N is the newest glibc symbol version in the library's string table."""
    minor = max(int(found) for found in re.findall(rb"\0GLIBC_2\.(\d+)(?:\.\d+)?(?=\0)", library))
    return f"manylinux_2_{minor}_{platform.machine()}"


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: Dict[str, Any]) -> None:
        library = os.environ.get("TFA_LIBRARY")
        if not library:
            return
        with open(library, "rb") as file:
            build_data["tag"] = f"py3-none-{platform_tag(file.read())}"
        build_data["pure_python"] = False
        build_data["force_include"][os.path.abspath(library)] = "libtfa/libtfa.so.0"
