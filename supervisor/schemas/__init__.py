"""The API's shapes, shared with every client; the console and the command line import nothing else of ours."""
