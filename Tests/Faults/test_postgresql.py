"""A PostgreSQL server that is restarted, in order or as if its machine had lost power, while messages go both ways."""

import unittest

from killing import Killer
from lab import LabCase
from oms_simulator import Manner
from postgresql import PostgreSQL
from traffic import Chains, Incoming, Mixture, by_service
from waiting import wait_until

KILLS = 30


class OnPostgreSQL(LabCase):
    def lab_on(self, server, **options):
        return self.lab(database_url=server.url, replicas=2, **options)

    def test_server_that_is_restarted_loses_and_doubles_nothing(self):
        with PostgreSQL() as server, self.lab_on(server) as lab:
            source = Chains("RESTART", 4)
            lab.aggregates = source.aggregates
            with Incoming(lab.sender, [source], lab.seed, ahead=8), by_service(lab) as requests:
                self.wait_for_messages(lab, requests)
                for mode in ("fast", "immediate", "immediate"):
                    put_off = lab.sender.put_off
                    server.stop(mode)
                    wait_until(lambda: lab.sender.put_off > put_off, "callbacks to be refused", 60)
                    server.start()
                    self.wait_for_messages(lab, requests)
            lab.assert_in_order()

    def wait_for_messages(self, lab, requests):
        """Until some more got through, both ways."""
        goals = lab.sender.done + 100, requests.done + 20

        def are_through():
            self.assertTrue(lab.stack.gateway.running, "the gateway has ended with its server")
            return lab.sender.done >= goals[0] and requests.done >= goals[1]

        wait_until(are_through, "messages to get through", 60, every_s=0.1)

    def test_kills_with_all_stores_on_postgresql(self):
        manner = Manner(connections=4, duplicate=0.1, hang_up=0.03, overtake=0.1)
        with PostgreSQL() as server, self.lab_on(server, manner=manner) as lab:
            sources = [Chains("CHAIN", 4), Mixture("MIX", 2)]
            lab.aggregates = [aggregate for source in sources for aggregate in source.aggregates]
            with Incoming(lab.sender, sources, lab.seed, ahead=12), by_service(lab) as requests:
                Killer(lab, list(lab.stack.processes), lab.state.effects, lambda: requests.done).run(KILLS)
            lab.assert_in_order()


if __name__ == "__main__":
    unittest.main()
