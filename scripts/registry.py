"""Fetches pinned archives from package registries with the registries' own clients, and unpacks single files of them.

Every archive and every file is checked against a SHA-256 that is written down where it is asked for. Nothing of a
package is installed or imported.
"""

import hashlib
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Problem(Exception):
    """One sentence that says what is wrong and how to mend it."""


def sha256(data):
    """SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def present(folder, files):
    """Whether every file {name: sha256} is in the folder, unchanged."""
    return all(
        (folder / name).is_file() and sha256((folder / name).read_bytes()) == expected
        for name, expected in files.items()
    )


def run(command, mend):
    """Runs a registry's client; its output is shown only when it fails."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except FileNotFoundError:
        raise Problem(f"{command[0]} is not installed: {mend}") from None
    if done.returncode != 0:
        sys.stderr.write(done.stdout)
        raise Problem(f"`{' '.join(command)}` failed (its output is above): check the network and run this again.")


def require_pip():
    """The pip of this Python, or a sentence on how to get it."""
    have = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False)
    if have.returncode != 0:
        raise Problem("pip is not installed: install it (Debian: apt-get install python3-pip) and run this again.")


def pip_download(package, version, sha, kind, folder):
    """Fetches a wheel (kind 'wheel') or source archive ('sdist') from PyPI. pip checks the hash before it reads it."""
    require_pip()
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{package}=={version} --hash=sha256:{sha}\n")
    binary = "--only-binary" if kind == "wheel" else "--no-binary"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += [binary, ":all:", "--require-hashes", "--dest", str(folder), "-r", str(requirements)]
    run(command, "install it (Debian: apt-get install python3-pip) and run this again.")
    requirements.unlink()


def npm_pack(package, version, folder):
    """Fetches a package's archive from npm. Its scripts are not run."""
    command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), f"{package}@{version}"]
    run(command, "install it (Debian: apt-get install npm) and run this again.")


def only_archive(folder, expected):
    """The bytes' path of the one archive that was fetched, checked against its SHA-256."""
    [archive] = list(folder.iterdir())
    actual = sha256(archive.read_bytes())
    if actual != expected:
        raise Problem(
            f"{archive.name} has SHA-256 {actual} and not {expected}: the registry served another file, so do not use "
            "it; run this again, and report it if it stays so."
        )
    return archive


def members(archive, wanted):
    """The contents {name: bytes} of the wanted members {path in the archive: name}."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            return {name: opened.read(path) for path, name in wanted.items()}
    with tarfile.open(archive) as opened:
        return {name: opened.extractfile(path).read() for path, name in wanted.items()}


def fetch(target, archive_sha, wanted, files, download):
    """Brings the files {name: sha256} into the target folder unless they are there, and says which."""
    if present(target, files):
        return
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = pathlib.Path(name)
        download(folder)
        contents = members(only_archive(folder, archive_sha), wanted)
        for name, expected in files.items():
            actual = sha256(contents[name])
            if actual != expected:
                raise Problem(f"{name} has SHA-256 {actual} and not {expected}: correct the pin or the package version.")
            part = folder / "part"
            part.write_bytes(contents[name])
            os.replace(part, target / name)
            print(f"{(target / name).relative_to(ROOT)}: fetched, SHA-256 as pinned")


def main(work):
    """Runs the work; a problem is one sentence on standard error and exit status 1."""
    try:
        work()
    except Problem as problem:
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {problem}")
    except OSError as error:
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {error}: make room or give access, and run this again.")
