"""The command line, ``mcr``: reaches everything by the API or by running a program, never by import."""
