"""A replica of inventory in a container that is cut off from PostgreSQL's."""

import tempfile
import unittest

from engine import ON_POSTGRES, Project, made_secrets, run
from ledger import Ledger
from reflected import Reflected
from waiting import wait_until


class Partition(unittest.TestCase):
    def test_replica_that_is_cut_off_is_unhealthy_and_spared_until_it_is_back(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        project = self.enterContext(
            Project("oms-partition", ON_POSTGRES, OMS_URL="", COMMERCE_URL="", **made_secrets(folder)))
        project.up("--scale", "inventory=3")
        cut_off = project.containers("inventory")[0]
        network, = cut_off["NetworkSettings"]["Networks"]

        def health():
            states = {each["Id"]: each["State"]["Health"]["Status"] for each in project.containers("inventory")}
            return states[cut_off["Id"]], sorted(states.values())

        with Ledger(project.grpc, "CUT") as ledger:
            ledger.wait_for(300)
            run(["docker", "network", "disconnect", network, cut_off["Id"]])
            wait_until(lambda: health() == ("unhealthy", ["healthy", "healthy", "unhealthy"]),
                       "the replica to be unhealthy, and no other", 90, every_s=0.5)
            ledger.wait_for_all(2)
            # Nobody waits for it any more, so that those who have not called before are answered.
            with Ledger(project.grpc, "OTHERS") as others:
                others.wait_for(300)
            run(["docker", "network", "connect", network, cut_off["Id"]])
            project.wait_until_healthy("inventory", 3)
            ledger.wait_for_all(20)
        with Reflected(project.grpc) as client:
            for each in (ledger, others):
                self.assertEqual(each.findings(client), [])
        self.assertEqual(others.texts(), [])
        self.assertEqual(ledger.without_hint(), [])


if __name__ == "__main__":
    unittest.main()
