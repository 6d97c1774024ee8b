"""PyAV's errors, without what they leak."""

from av.error import FFmpegError


def leak_nothing() -> None:
    """Has an error set its words once; to be called before any filter is asked.

    PyAV (15.1) sets ``strerror`` and then lets ``OSError.__init__`` set it again, which forgets to give the first back
    (CPython 3.11): each error kept its words for ever. A filter that has nothing ready says so by an error, some three
    times a frame, so that a channel grew by 17 MiB an hour.
    """

    def begin(self: FFmpegError, code: int, message: str, filename: object = None, log: object = None) -> None:
        named = (filename, log) if log else (filename,) if filename else ()
        super(FFmpegError, self).__init__(code, message, *named)
        # An OSError keeps two of them, and PyAV reads the others from here.
        self.errno, self.strerror, self.args = code, message, (code, message, *named)

    FFmpegError.__init__ = begin
