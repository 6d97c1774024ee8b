"""A pipe that ends with its holder: whoever reads from it learns that this process is gone, kill -9 included."""

import os


class Leash:
    """Only this process has the writing end, and no child inherits it; nothing is ever written.

    Children are handed ``read_fd``. The kernel closes the writing end when this process ends, whatever ended it, and
    they read end of file. The reading end stays open here for a child that is started later.
    """

    def __init__(self) -> None:
        self.read_fd, self._write_fd = os.pipe()

    def let_go(self) -> None:
        """What is still on the leash ends itself from here on. May be called again."""
        if self._write_fd >= 0:
            os.close(self._write_fd)
            self._write_fd = -1
            os.close(self.read_fd)
