"""Measures the speed of the Python package, as ratios of times taken in one run. Prints one JSON line each:

    {"name": …, "ours": nanoseconds, "peer": nanoseconds, "ratio": ours / peer, "target": at most this}

There are two: verifying an invalid code, compared with pyotp, and `Tfa.login` with valid codes, compared with the C
function `tfa_login` on the same store (bench_login.c, compiled here). The two sides run in turns and the median is
reported, so that load on the machine slows both equally. Run it with the Python of make-venv; TFA_LIBRARY names the library.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable, Dict, List

HERE = pathlib.Path(__file__).resolve().parent
LIBRARY = pathlib.Path(os.environ.setdefault("TFA_LIBRARY", str(HERE.parent / "target" / "release" / "libtfa.so")))
sys.path.insert(0, str(HERE / "src"))

import pyotp  # noqa: E402

import libtfa  # noqa: E402

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
SUBJECTS = 1000


def report(name: str, ours: float, peer: float, target: float) -> None:
    """Prints a ratio. Times are in seconds."""
    line = {
        "name": name,
        "ours": round(ours * 1e9),
        "peer": round(peer * 1e9),
        "ratio": round(ours / peer, 3),
        "target": target,
    }
    print(json.dumps(line), flush=True)


def per_call(function: Callable[[], Any], count: int) -> float:
    before = time.perf_counter()
    for _ in range(count):
        function()
    return (time.perf_counter() - before) / count


def wrong_code() -> None:
    """Verifies an invalid code of a Base32 secret, with a skew of one step."""
    wrong = "000000"
    assert not libtfa.verify(SECRET, wrong) and not pyotp.TOTP(SECRET).verify(wrong, valid_window=1)
    ours: List[float] = []
    peer: List[float] = []
    for _ in range(200):
        ours.append(per_call(lambda: libtfa.verify(SECRET, wrong), 500))
        peer.append(per_call(lambda: pyotp.TOTP(SECRET).verify(wrong, valid_window=1), 25))
    report("python: a wrong code, pyotp", statistics.median(ours), statistics.median(peer), 1 / 20)


def login() -> None:
    """Half of the subjects log in through C and half through Python; then the halves change places, with the next code."""
    with tempfile.TemporaryDirectory() as folder:
        config = {"create": True, "store": f"sqlite:{folder}/tfa.db", "key_file": f"{folder}/tfa.key"}
        subjects = {f"user{number}": libtfa.secret() for number in range(2 * SUBJECTS)}
        program = compiled(pathlib.Path(folder))
        with libtfa.open(config) as tfa:
            tfa.whm.twofactorauth_enable_policy(caller="root")
            for name, secret in subjects.items():
                given = {name: {"primary_account": {"secret": secret}}}
                tfa.whm.twofactorauth_set_tfa_config_for_user(given, caller="root")
            names = list(subjects)
            halves = [names[:SUBJECTS], names[SUBJECTS:]]
            ours: List[float] = []
            peer: List[float] = []
            for step in (0, 1):
                codes = {name: libtfa.totp(subjects[name], at=time.time() + 30 * step) for name in names}
                peer.append(through_c(program, config, {name: codes[name] for name in halves[step]}))
                ours.append(through_python(tfa, {name: codes[name] for name in halves[1 - step]}))
    report("python: login with a right code, C", statistics.median(ours), statistics.median(peer), 1.5)


def compiled(folder: pathlib.Path) -> pathlib.Path:
    program = folder / "bench_login"
    include = f"-I{HERE.parent / 'include'}"
    subprocess.run(["cc", "-O2", include, "-o", program, HERE / "bench_login.c", LIBRARY.resolve()], check=True)
    return program


def through_c(program: pathlib.Path, config: Dict[str, Any], codes: Dict[str, str]) -> float:
    lines = "".join(f"{name} {code}\n" for name, code in codes.items())
    environment = {**os.environ, "LD_LIBRARY_PATH": str(soname_folder(program.parent))}
    command = [str(program), json.dumps(config)]
    run = subprocess.run(command, input=lines, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return int(run.stdout) / 1e9


def soname_folder(folder: pathlib.Path) -> pathlib.Path:
    """A directory where the loader finds the library by its soname."""
    link = folder / "libtfa.so.0"
    if not link.exists():
        link.symlink_to(LIBRARY.resolve())
    return folder


def through_python(tfa: libtfa.Tfa, codes: Dict[str, str]) -> float:
    took: List[float] = []
    for name, code in codes.items():
        before = time.perf_counter()
        result = tfa.login(name, code)
        took.append(time.perf_counter() - before)
        assert result is libtfa.Login.VERIFIED, result
    return statistics.median(took)


if __name__ == "__main__":
    wrong_code()
    login()
