"""Replicas of inventory come, go, die and are cut off under load; their PostgreSQL server is restarted."""

import contextlib
import time
import unittest

from lab import LabCase
from ledger import Ledger
from network import Network
from oms_simulator import Manner
from postgresql import PostgreSQL
from reflected import Reflected
from stack import Stack
from traffic import Chains, Incoming, by_service
from waiting import wait_until

WORK = ("omsconnector.v1.InventoryService/", "omsconnector.internal.v1.MessageConsumerService/")
# Calls of each replica over which evenness is judged. Each loop of the gateway gives its calls out in turn, which leaves a
# replica one more or less a loop; while replicas are asked for their counts, one after the other, a few messages come in.
SHARE = 200
UNEVEN = 0.1  # of its fair share, by which a replica may have more or less
SETTLED_S = 5  # after replicas have become healthy, in which they have come to share the calls: that is promised
MANNER = Manner(connections=4, timeout_s=60)
PAUSE_S = 0.05  # between messages: what piles up while a replica does not answer has to be worked off in the end


def calls_of(stack, name):
    """How many calls for its work that replica has had, failed ones included, by its own timings."""
    with Reflected(stack.socket(name)) as client:
        timings = client.call("omsconnector.internal.v1.TimingService/GetTimings")
    return sum(each["count"] for each in timings.get("histograms", []) if each["endpoint"].startswith(WORK))


def uneven_shares(stack, ledger):
    """How calls were shared, by replica, if that was not even; else nothing."""
    def counts():
        with ledger.paused():
            return {name: calls_of(stack, name) for name in stack.replicas}

    before = counts()
    ledger.wait_for(SHARE * len(before))
    shares = {name: count - before[name] for name, count in counts().items()}
    fair = sum(shares.values()) / len(shares)
    return shares if any(abs(share - fair) > UNEVEN * fair for share in shares.values()) else {}


def relaying(server):
    """Who has the right to relay, and until when; None while nobody has."""
    rows = server.query("SELECT holder, held_until FROM inventory.outbox_store WHERE holder <> ''")
    return rows[0].split("|") if rows else None


def has_passed_on(server, before):
    """Whether another one has the right to relay than `before`, as soon as that can be told: who has died may have renewed it
    at the last moment, and does not do so again."""
    renewals = set()

    def told():
        holder, until = relaying(server)
        renewals.add(until)
        return holder != before or len(renewals) > 2

    wait_until(told, "a replica to take or to renew the right to relay", every_s=0.1)
    return relaying(server)[0] != before


class Scaling(LabCase):
    def assert_kept(self, ledger, client, server):
        self.assertEqual(ledger.findings(client, server), [])

    def assert_even_when_settled(self, stack, ledger, since):
        """The promise has a time, so what is waited for is the clock: to ask until they are even would be content with later,
        and to ask before would be too strict. Only calls after it count."""
        settled = time.monotonic() + SETTLED_S
        wait_until(lambda: time.monotonic() >= settled, "the clock", SETTLED_S + 30)
        self.assertEqual(uneven_shares(stack, ledger), {}, f"{SETTLED_S} s after {since}")

    def test_replicas_that_come_and_go_share_the_calls_evenly_and_fail_none(self):
        with PostgreSQL() as server, Stack(("inventory", "gateway"), database_url=server.url) as stack, \
                Reflected(stack.grpc) as client:
            with Ledger(stack.grpc, "SCALED") as ledger:
                ledger.wait_for(SHARE)
                for count in (5, 2):
                    stack.scale(count)
                    self.assert_even_when_settled(stack, ledger, f"there are {count} replicas")
            self.assertEqual(ledger.texts(), [])
            self.assert_kept(ledger, client, server)

    @contextlib.contextmanager
    def loaded_lab(self, server, replicas, aggregate):
        """(lab, the ledger of callers of the gateway): messages go both ways meanwhile, and in the end all is in order."""
        with self.lab(database_url=server.url, replicas=replicas, manner=MANNER) as lab:
            source = Chains(f"{aggregate}-OMS", 4)
            lab.aggregates = source.aggregates
            with Incoming(lab.sender, [source], lab.seed, ahead=4, pause_s=PAUSE_S), \
                    by_service(lab, pause_s=PAUSE_S) as requests, \
                    Ledger(lab.stack.grpc, aggregate) as ledger:
                ledger.wait_for(SHARE)
                requests.wait_for(10)
                yield lab, ledger
                requests.wait_for(10)
            lab.assert_in_order()
            with Reflected(lab.stack.grpc) as client:
                self.assert_kept(ledger, client, server)

    def test_replicas_that_are_killed_fail_no_idempotent_call_and_lose_nothing(self):
        with PostgreSQL() as server, self.loaded_lab(server, 3, "KILLED") as (lab, ledger):
            for name in lab.stack.replicas:
                lab.kill(name)
                ledger.wait_for_all(20)
                lab.stack.processes[name].start().wait_healthy()
                self.assert_even_when_settled(lab.stack, ledger, f"{name} is back")
            self.assertEqual(ledger.texts(), [])

    def test_right_to_relay_passes_on_when_the_replica_that_has_it_dies(self):
        """Which of them has it is not told: they die one after the other until it was that one's turn, but both of them."""
        with PostgreSQL() as server, self.loaded_lab(server, 2, "RELAYED") as (lab, _):
            passed, replicas = [], lab.stack.replicas
            while len(passed) < len(replicas) or not any(passed):
                self.assertLess(len(passed), 6, "no replica that was killed had the right to relay")
                name = replicas[len(passed) % len(replicas)]
                before, _ = wait_until(lambda: relaying(server), "a replica to relay")
                lab.kill(name)
                began = time.monotonic()
                # The one that is left has it already, or takes it.
                passed.append(has_passed_on(server, before))
                sent = len(lab.taken())
                wait_until(lambda: len(lab.taken()) > sent + 10, "messages to be relayed", every_s=0.1)
                had = "the" if passed[-1] else "no"
                print(f"{name} had {had} right to relay; it went on within {time.monotonic() - began:.1f} s", flush=True)
                lab.stack.processes[name].start().wait_healthy()

    def test_calls_wait_or_are_told_to_come_back_while_the_postgresql_server_is_away(self):
        with PostgreSQL() as server, self.loaded_lab(server, 2, "AWAY") as (lab, ledger), \
                Ledger(lab.stack.socket("inventory-1"), "AWAY-1", callers=2) as direct:
            for mode in ("fast", "immediate"):
                server.stop(mode)
                server.start()
                ledger.wait_for_all(10)
                direct.wait_for_all(10)
            # For longer than anything waits for it.
            server.stop("fast")
            failed = len(direct.failures)
            wait_until(lambda: len(direct.failures) > failed, "calls to be told to come back", 90)
            self.assertFalse(lab.stack.inventory.healthy(), "a replica without its store says that it serves")
            server.start()
            ledger.wait_for_all(10)
            direct.wait_for_all(10)
            for process in lab.stack.processes.values():
                process.wait_healthy()
            direct.stop()
            print(f"{len(ledger.failures)} calls of the gateway and {len(direct.failures)} of the replica have failed", flush=True)
            self.assertEqual(ledger.without_hint(), [])
            self.assertEqual(direct.without_hint(), [])
            with Reflected(lab.stack.grpc) as client:
                self.assert_kept(direct, client, server)

    def test_replica_that_is_cut_off_from_the_store_is_spared_until_it_is_back(self):
        with Network(self) as network, PostgreSQL(listen=network.gate) as server, \
                self.loaded_lab(server, 2, "CUT") as (lab, ledger):
            stack, cut_off = lab.stack, "inventory-3"
            replica = stack.add_replica(network.inside, database_url=f"postgresql://oms@{network.gate}/oms").wait_healthy()
            with Ledger(stack.socket(cut_off), "CUT-3", callers=2) as direct:
                with direct.paused():
                    self.assert_even_when_settled(stack, ledger, f"{cut_off} is there")
                network.cut()
                wait_until(lambda: not replica.healthy(), f"{cut_off} to say that it does not serve", 60)
                # What was under way there is tried elsewhere in the end.
                ledger.wait_for_all(2)
                wait_until(lambda: direct.failures, "calls of the cut-off replica to be told to come back", 90)
                self.assert_spared(stack, cut_off, direct)
                network.mend()
                replica.wait_healthy()
                direct.wait_for_all(10)
                with direct.paused():
                    self.assert_even_when_settled(stack, ledger, f"{cut_off} is back")
            print(f"{len(ledger.failures)} calls of the gateway and {len(direct.failures)} of the replica have failed", flush=True)
            self.assertEqual(ledger.without_hint(), [])
            self.assertEqual(direct.without_hint(), [])
            with Reflected(stack.grpc) as client:
                self.assert_kept(direct, client, server)

    def assert_spared(self, stack, name, direct):
        """Nobody but those who call it themselves gets to it: calls to the gateway end, and none of them there."""
        with Ledger(stack.grpc, "SPARED") as others:
            others.wait_for_all(1)
            with direct.paused():
                before = calls_of(stack, name)
                others.wait_for(SHARE)
                others.stop()
                self.assertEqual(calls_of(stack, name), before)
        self.assertEqual(others.texts(), [])


if __name__ == "__main__":
    unittest.main()
