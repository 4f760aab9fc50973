"""An hour and two days of an OMS that is away, and a clock that steps back."""

import unittest

import clock
from clock import ClockStack
from lab import LabCase
from traffic import Chains, Incoming, by_enqueue
from waiting import wait_until

HOUR_S = 3600


@unittest.skipIf(clock.LIBRARY is None, "Debian's faketime is not installed")
class Clock(LabCase):
    def down(self, lab, requests, messages):
        """Closes the OMS, and returns when messages wait and some were tried."""
        requests.wait_for(20)
        lab.oms.down()
        requests.wait_for(messages)
        requests.stop()
        wait_until(lambda: lab.state.journal_count("direction = 2 AND status = 1 AND attempt_count > 0"),
                   "messages to be tried in vain", 60)

    def test_oms_that_is_down_for_an_hour_gets_everything_afterwards(self):
        for restarts in (False, True):
            with self.subTest(restarts=restarts), self.lab(stack=ClockStack) as lab, by_enqueue(lab) as requests:
                self.down(lab, requests, 20)
                waiting = lab.state.journal_count("direction = 2 AND status = 1")
                lab.stack.set_clock(HOUR_S)
                if restarts:
                    lab.kill("gateway")
                    lab.stack.gateway.start().wait_healthy()
                self.assertEqual(lab.state.journal_count("direction = 2 AND status = 1"), waiting)
                lab.oms.up()
                run = lab.assert_in_order()
                self.assertEqual({row["status"] for row in run.journal}, {"SUCCESS"})

    def test_clock_that_steps_back_holds_up_nothing(self):
        with self.lab(stack=ClockStack) as lab:
            source = Chains("BACK", 3)
            lab.aggregates = source.aggregates
            lab.stack.set_clock(HOUR_S)
            with by_enqueue(lab) as requests, Incoming(lab.sender, [source], lab.seed, ahead=4):
                requests.wait_for(20)
                lab.oms.down()  # so that some wait for times that are in the far future afterwards
                requests.wait_for(20)
                for offset_s in (0, -HOUR_S, 48 * HOUR_S, -400 * 24 * HOUR_S):
                    lab.stack.set_clock(offset_s)
                    requests.wait_for(10)
                lab.stack.set_clock(0)
                lab.oms.up()
                requests.wait_for(20)
            lab.assert_in_order()


if __name__ == "__main__":
    unittest.main()
