"""What carries the calls: where a server listens, and what a client calls there."""

import os


class TCP:
    name = "TCP"

    @staticmethod
    def listening(folder):
        return ["127.0.0.1:0"]

    @staticmethod
    def calling(address):
        return [address]


class Unix:
    name = "Unix"

    @staticmethod
    def listening(folder):
        return [f"unix:{os.path.join(folder, 'socket')}"]

    @staticmethod
    def calling(address):
        return [address]
