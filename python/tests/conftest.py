"""pytest runs itself here: pytester makes a folder, and a run of pytest in it."""

pytest_plugins = ["pytester"]
