"""Any process is killed at any time under load in both directions, and nothing is lost, doubled or out of order."""

import os
import unittest

from killing import Killer
from lab import LabCase
from oms_simulator import Manner
from traffic import Chains, Incoming, Mixture, by_service

KILLS = int(os.environ.get("FAULTS_KILLS") or 200)
MANNER = Manner(connections=6, duplicate=0.1, hang_up=0.03, overtake=0.1, idle=20, timeout_s=20)


class RandomKills(LabCase):
    def test_kills_under_load_lose_double_and_reorder_nothing(self):
        with self.lab(manner=MANNER, replicas=2) as lab:
            sources = [Chains("CHAIN", 8), Mixture("MIX", 4)]
            lab.aggregates = [aggregate for source in sources for aggregate in source.aggregates]
            with Incoming(lab.sender, sources, lab.seed), by_service(lab) as requests:
                Killer(lab, list(lab.stack.processes), lab.state.effects, lambda: requests.done).run(KILLS)
            lab.assert_in_order()


if __name__ == "__main__":
    unittest.main()
