"""What every run begins with."""

import os
import sys

# Tests start our programs some hundred times: compiled files are kept, as in an installation, whatever the shell says.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
