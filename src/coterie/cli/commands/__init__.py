"""One module per command, loaded when it is called: run(given, output) -> exit code."""
