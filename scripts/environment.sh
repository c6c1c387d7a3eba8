# Sourced by scripts/quickstart and scripts/test from the root of the checkout:
# a virtual environment in .venv with the pinned packages.

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
fail() { printf 'Error: %s\n' "$*" >&2; exit 1; }

is_supported() { "$1" -c 'import sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1; }

# Prints a Python 3.10 to 3.12: $PYTHON if it is set, else the first one on the PATH.
find_python() {
  if [ -n "${PYTHON:-}" ]; then
    is_supported "$PYTHON" || fail "PYTHON=$PYTHON: not a Python 3.10, 3.11 or 3.12 with its venv module"
    echo "$PYTHON"
    return
  fi
  for candidate in python3.11 python3.12 python3.10 python3 python; do
    if is_supported "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  fail "no Python 3.10, 3.11 or 3.12 with its venv module on the PATH: install one, or set PYTHON to its path"
}

# Prints what an installation depends on, in one number.
fingerprint() {
  .venv/bin/python -c '
import hashlib, pathlib, sys
content = b"".join(pathlib.Path(name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
print(hashlib.sha256(content + str(pathlib.Path.cwd()).encode() + sys.version.encode()).hexdigest())'
}

# install_packages NAME REQUIREMENT: installs what is not there yet; .venv/NAME.stamp says for which pins that was done.
install_packages() {
  local stamp=".venv/$1.stamp"
  if [ "$(cat "$stamp" 2>/dev/null)" = "$(fingerprint)" ]; then
    return
  fi
  say "Installing into .venv (once, some minutes)"
  if [ -z "${TORCH_INDEX_URL:-}" ] && [ "$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null; then
    echo "No NVIDIA GPU found. Should pip fetch CUDA packages below (several GB), stop it with Ctrl-C and set"
    echo "TORCH_INDEX_URL to the index of PyTorch's CPU builds (see pytorch.org, Get started, CPU)."
  fi
  local pip=(.venv/bin/python -m pip install --disable-pip-version-check --no-compile -c constraints.txt)
  # torch first, so that its index can be chosen for it alone
  if [ -n "${TORCH_INDEX_URL:-}" ]; then
    "${pip[@]}" --index-url "$TORCH_INDEX_URL" torch
  else
    "${pip[@]}" torch
  fi
  "${pip[@]}" -e "$2"
  fingerprint >"$stamp"
}

# install_alone PACKAGE==VERSION: installs what is not there yet, without its dependencies, which nothing here needs.
install_alone() {
  .venv/bin/python -c 'import sys; from importlib.metadata import version; name, _, wanted = sys.argv[1].partition("=="); sys.exit(version(name) != wanted)' "$1" 2>/dev/null ||
    .venv/bin/python -m pip install --disable-pip-version-check --no-compile --no-deps "$1"
}

# Makes .venv if it is not there; a broken one, as after an upgrade of the system's Python, is made again.
make_environment() {
  if ! is_supported .venv/bin/python; then
    local python
    python=$(find_python)
    say "Making the virtual environment .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
  fi
}
