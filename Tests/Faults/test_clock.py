"""An hour and two days of an OMS that is away, and a clock that steps back."""

import unittest

import clock
from clock import ClockStack
from delivery import DeliveryClient
from lab import LabCase
from traffic import Chains, Incoming, by_enqueue
from waiting import wait_until

HOUR_S = 3600


@unittest.skipIf(clock.LIBRARY is None, "Debian's faketime is not installed")
class Clock(LabCase):
    def down(self, lab, requests, messages):
        """Closes the OMS, and returns when messages wait and some were tried."""
        requests.wait_for(20)
        requests.stop()
        lab.state.wait_at_rest()
        lab.oms.down()
        with DeliveryClient(lab.stack.socket("gateway")) as client:
            for number in range(messages):
                requests.ask(client, f"DOWN-{number % 10}")
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

    def test_what_waits_for_48_hours_is_dead_and_reported_and_later_messages_go_their_way(self):
        with self.lab(stack=ClockStack) as lab, by_enqueue(lab) as requests:
            # Each has to be tried once more, and the gateway tries an OMS that is down with one message at a time, and ever
            # less often.
            self.down(lab, requests, 2)
            lab.stack.set_clock(49 * HOUR_S)
            wait_until(lambda: not lab.state.journal_count("direction = 2 AND status = 1 AND delivery_id LIKE 'test-%'"),
                       "all that waits to be given up", 120, every_s=0.1)
            with by_enqueue(lab, first=1000) as later:
                later.wait_for(4)
            lab.oms.up()
            run = lab.assert_in_order()
            dead = [row for row in run.journal if row["status"] == "DEAD"]
            self.assertEqual(len(dead), 2)
            for row in dead:
                self.assertIn("given up", row["reason"])

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
