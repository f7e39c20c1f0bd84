"""Make the compressed copy of Streamlit's frontend: `python -m frontend`."""

import sys

from frontend.files import prepare

sys.stdout.write(f"Compressed frontend: {prepare()}\n")
