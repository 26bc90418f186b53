"""How a project's tests are run: by which command, in which processes."""
