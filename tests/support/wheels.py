"""Build the wheels of packages/, and install them where nothing else of this repository is."""

import os
import subprocess
import sys
from pathlib import Path


def run(command: list[str | Path], *, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program without this repository on its path."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        command, cwd=cwd, env=inherited | environment, capture_output=True, text=True, check=False
    )


def build(package: Path, folder: Path) -> Path:
    """Build the wheel of a package into the folder, and return it."""
    command: list[str | Path] = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    built = run([*command, "--no-build-isolation", "--wheel-dir", folder, package], cwd=folder)
    assert built.returncode == 0, built.stderr
    return next(folder.glob(f"{package.name.replace('-', '_')}-*.whl"))


def install(folder: Path, *requirements: str | Path) -> Path:
    """Install these and what they require into the folder, and nothing else; return that of its programs."""
    made = run([sys.executable, "-m", "venv", "--without-pip", folder], cwd=folder)
    assert made.returncode == 0, made.stderr
    python = folder / "bin" / "python"
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    installed = run([*pip, "--no-compile", *requirements], cwd=folder)
    assert installed.returncode == 0, installed.stderr
    return python.parent
