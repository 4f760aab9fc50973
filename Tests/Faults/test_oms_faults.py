"""Whatever the OMS does with a message, it arrives, in order, or is given up and reported."""

import unittest

from lab import LabCase
from oms_simulator import Manner
from oms_simulator import faults as fault
from traffic import Chains, Incoming, by_enqueue
from waiting import wait_until

MESSAGES = "/delegate"
ELSEWHERE = "http://127.0.0.1:9/elsewhere"

# Each may pass: the message has to arrive.
PASSING = [
    fault.with_status(500), fault.with_status(502), fault.with_status(401), fault.with_status(408),
    fault.retry_after(429, 1), fault.retry_after(503, 1), fault.html(200), fault.html(502), fault.redirect(ELSEWHERE),
    fault.redirect(ELSEWHERE, 307), fault.error("database is locked"), fault.error({"code": -32000, "message": "not now"}),
    fault.half_an_answer(), fault.closing(handled=True), fault.closing(handled=False), fault.resetting(handled=True),
    fault.resetting(handled=False),
]
# With each the message is dead at once.
FINAL = [
    fault.with_status(400), fault.with_status(422), fault.error({"code": -32602, "message": "no such source"}),
    fault.error({"code": -32601, "message": "unknown method"}),
]


class FailingOMS(LabCase):
    def test_every_fault_that_may_pass_is_outlived(self):
        with self.lab(manner=Manner(connections=2, duplicate=0.1)) as lab, by_enqueue(lab, callers=2, keys=4) as requests:
            source = Chains("BOTH", 2)
            lab.aggregates = source.aggregates
            requests.wait_for(10)
            planned = list(PASSING)
            lab.random.shuffle(planned)
            for each in planned:
                lab.oms.faults.plan(each, times=1, path=MESSAGES)
            with Incoming(lab.sender, [source], lab.seed, ahead=4):
                wait_until(lambda: lab.oms.faults.is_through, "all faults to have happened", 120)
                requests.wait_for(10)
            requests.stop()
            run = lab.assert_in_order()
            self.assertEqual({event["fault"] for event in run.received} - {None}, {each.kind for each in PASSING})

    def test_what_the_oms_will_never_take_is_dead_at_once_and_reported(self):
        with self.lab() as lab, by_enqueue(lab, callers=2, keys=4) as requests:
            requests.wait_for(10)
            for each in FINAL:
                lab.oms.faults.plan(each, times=1, path=MESSAGES)
            wait_until(lambda: lab.oms.faults.is_through, "all faults to have happened", 60)
            requests.wait_for(10)
            requests.stop()
            run = lab.assert_in_order()
            dead = [row for row in run.journal if row["status"] == "DEAD"]
            self.assertEqual([row["attempt_count"] for row in dead], [1] * len(FINAL))

    def test_answers_that_come_too_late_are_asked_for_again(self):
        told = {"patience_s": 1}
        with self.lab(oms_timeout="1s", told=told) as lab, by_enqueue(lab, callers=1, keys=3) as requests:
            requests.wait_for(10)
            lab.oms.faults.hold(MESSAGES)
            late = wait_until(lambda: lab.state.journal_count("direction = 2 AND attempt_count > 0 AND status = 1")
                              or lab.state.journal_count("direction = 2 AND reason != ''"), "an answer to be too late", 30)
            self.assertGreater(late, 0)
            lab.oms.faults.clear()
            requests.wait_for(10)
            requests.stop()
            lab.assert_in_order()

    def test_oms_that_comes_and_goes_loses_nothing(self):
        with self.lab() as lab, by_enqueue(lab, callers=2, keys=4) as requests:
            for _ in range(5):
                requests.wait_for(20)
                lab.oms.down()
                requests.wait_for(20)
                lab.oms.up()
                before = lab.taken()
                wait_until(lambda: lab.taken() - before, "messages to arrive again", 60, every_s=0.1)
            requests.stop()
            lab.assert_in_order()


if __name__ == "__main__":
    unittest.main()
