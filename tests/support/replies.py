"""A chip in this process whose replies are altered."""

from golden.machine.machine import Machine
from ohmulator.host import ModelCarrier
from tests.support.configs import TWO_BY_TWO

CONFIG = TWO_BY_TWO.replace(vector_words=256, program_words=64)


class Altered:
    """A carrier to a model that alters replies.

    Parameters
    ----------
    alter
        Gets the words of a command and of its reply, and returns the frames that come.
    """

    def __init__(self, alter):
        self.inner = ModelCarrier(Machine(CONFIG))
        self.alter = alter
        self.frames = []

    def send(self, words):
        self.inner.send(words)
        self.frames += self.alter(list(words), self.inner.receive(0).words)

    def receive(self, timeout_s):
        return self.frames.pop(0) if self.frames else None

    def close(self):
        pass
