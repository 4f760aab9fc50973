"""kill -9 of the gateway while an operator has many messages delivered again."""

import os
import subprocess
import unittest

from lab import LabCase
from oms_simulator import Manner
from stack import BIN, clean_environment
from traffic import Chains
from waiting import wait_until

MESSAGES = 1_500
ROUNDS = 3


class Replays(LabCase):
    def test_gateway_killed_during_a_replay_of_many_messages(self):
        """Each message is replayed once by a request, or not at all; the journal says which, and each replay has its effect
        once."""
        with self.lab(manner=Manner(connections=8)) as lab:
            source = Chains("REPLAY", 8)
            lab.aggregates = source.aggregates
            lab.send(source, MESSAGES)
            lab.sender.wait_until_done(120)
            lab.state.wait_at_rest()
            hits = 0
            for number in range(1, 20):
                if hits == ROUNDS:
                    break
                hits += self.is_cut_short(lab, f"operator {number}")
            self.assertEqual(hits, ROUNDS, "no replay was ever caught in the middle")
            run = lab.assert_in_order()
            self.assertEqual(len(run.inbox), MESSAGES + sum(row["replay_count"] for row in run.journal))

    def is_cut_short(self, lab, operator):
        """One replay of everything, and a kill in the middle of it; whether it was that."""
        before = {row["id"]: row["replay_count"] for row in lab.state.journal()}
        wanted = lab.random.randint(200, MESSAGES // 2)
        environment = {**clean_environment(), "OMSCTL_GATEWAY": f"unix:{lab.folder}/state/gateway.sock"}
        command = [os.path.join(BIN, "omsctl"), "journal", "replay", "--status", "SUCCESS", "--by", operator]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as replay:
            wait_until(lambda: replay.poll() is not None or lab.state.journal_count(f"handled_by LIKE '%{operator})'") >= wanted,
                       "the replay to be under way", every_s=0.001)
            lab.kill("gateway")
            _, complaint = replay.communicate(timeout=30)
        lab.stack.gateway.start().wait_healthy()
        lab.state.wait_at_rest()
        rows = lab.state.journal()
        replayed = [row["id"] for row in rows if row["handled_by"].endswith(f"(as {operator})")]
        for row in rows:
            more = row["replay_count"] - before[row["id"]]
            self.assertEqual(more, int(row["id"] in replayed), f"replays of message {row['id']} by {operator}")
        incoming = [row["id"] for row in rows if row["direction"] == "INCOMING"]
        self.assertEqual(replayed, incoming[:len(replayed)], "the oldest come first")
        if replay.returncode == 0:
            return False
        self.assertIn("UNAVAILABLE", complaint)
        self.assertIn("handled_by", complaint, "it says where to look for what was replayed")
        return 0 < len(replayed) < MESSAGES


if __name__ == "__main__":
    unittest.main()
