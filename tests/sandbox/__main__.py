"""Owns starting the local AWS where it is installed or named as a folder: its modules import each other by bare names."""

import pathlib
import sys


def main():
    """Runs sandbox.py, whose folder comes first on the path."""
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    import sandbox

    sandbox.main()


if __name__ == "__main__":
    main()
