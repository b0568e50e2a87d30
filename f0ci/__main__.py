"""`python -m f0ci` is the command `f0ci`."""

from f0ci.cli import main

if __name__ == "__main__":
    main()
