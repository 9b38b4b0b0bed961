"""A newsroom in one thread: queries that crash, stall, replay and overlap over one index.

The queries run the project's own code over `SteppingStore`; what is simulated is what is
around it: who goes on, who dies, what a broken connection did, when tables forget.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

import greenlet
import orjson

from streaming import announcements, exporting
from streaming.engine import statistics, summaries
from streaming.engine.attempt import attempt
from streaming.engine.describe import describe, log_rows
from streaming.engine.events import Logged, LoggedContent, by_article
from streaming.engine.judge import Judged, judge
from streaming.engine.put import put
from streaming.engine.ranking import Ranked, catch_up, rank
from streaming.engine.statistics import MINUTE_MS
from streaming.engine.succession import behind, finished, scopes_to_rank, take_up
from streaming.engine.summaries import Grain, Sums
from streaming.errors import LeaseHeld, LeaseLost, StoreUnavailable
from streaming.matching.reference import Expected, reference
from streaming.position import timestamp_ms
from streaming.similar.reference import reference_lists
from streaming.similar.view import View
from streaming.store import articles, lease, models, ownership, similar
from streaming.store.lease import Lease
from streaming.store.models import Log, Models
from streaming.store.tables import tables
from tests.simulation.histories import MODELS, History, Kind, Partition
from tests.simulation.stepping import Order, SteppingStore, Task, pause

LEASE_SECONDS = 0.5
MOST_TURNS = 300_000
CHANGE_OF_PACE = 0.02
TURNS_BETWEEN_LOOKS = 8
"""How many turns pass before a program that fills logs looks for an empty one again."""

GRAINS = (Grain(b"h", 3 * MINUTE_MS), Grain(b"d", 9 * MINUTE_MS))
"""Hours and days of a log that lasts for some minutes."""

FILLER_PACES = (0.02, 0.2, 1.0)
"""How often such a program does a step, per turn: it may take longer than several batches."""


class Fault(StrEnum):
    """What may go wrong, as it is counted."""

    CUT = "batch cut"
    ORDER = "task order"
    CRASH = "crash"
    LOST_REPLY = "reply lost"
    BELATED = "applied late"
    REDELIVERY = "redelivery"
    SPECULATION = "speculation"
    ZOMBIE = "zombie task"
    TAKEOVER = "takeover"
    REPLAY = "replay"
    SKIP = "began at the end"
    EXPIRY = "expiry"
    OVERLAP = "two queries"
    ACTIVATION = "other model"


@dataclass(frozen=True)
class Faults:
    """Chances, per step or per occasion."""

    crash: float = 0.0
    lost_reply: float = 0.0
    belated: float = 0.0
    speculation: float = 0.0
    zombie: float = 0.0
    takeover: float = 0.0
    replay: float = 0.0
    skip: float = 0.0
    activation: float = 0.0
    expiry: bool = False
    two_queries: bool = False


PROFILES = {
    "calm": Faults(),
    "crash": Faults(crash=0.006, lost_reply=0.003, belated=0.003),
    "storm": Faults(crash=0.015, lost_reply=0.003, zombie=0.3),
    "speculate": Faults(speculation=0.5),
    "replay": Faults(replay=0.1, skip=0.5),
    "zombie": Faults(crash=0.006, speculation=0.4, zombie=0.8),
    "takeover": Faults(crash=0.002, zombie=0.5, takeover=0.004),
    "stall": Faults(crash=0.001, zombie=0.9, takeover=0.012),
    "two": Faults(crash=0.003, two_queries=True),
    "expiry": Faults(crash=0.003, lost_reply=0.002, expiry=True),
    "models": Faults(crash=0.004, lost_reply=0.002, replay=0.05, activation=0.3),
    "all": Faults(0.003, 0.002, 0.002, 0.2, 0.7, 0.002, 0.05, 0.4, 0.1),
}


@dataclass(eq=False)
class Process:
    """A driver with the tasks of its job in hand."""

    driver: Task
    tasks: list[Task] = field(default_factory=list)
    ranked: set[bytes] = field(default_factory=set)


@dataclass(eq=False)
class Query:
    """A query as its supervisor sees it: where it reads, and how far it is.

    ``done`` and ``planned`` are its checkpoint; ``process`` is the one that counts now.
    """

    partitions: list[Partition]
    done: dict[Partition, int]
    planned: dict[Partition, int] | None = None
    process: Process | None = None
    batch: list[Logged] = field(default_factory=list)

    def caught_up(self, history: History) -> bool:
        return self.planned is None and all(
            self.done[p] >= len(history.partitions[p]) for p in self.partitions
        )


class World:
    """One history, run under faults until every query has read everything.

    ``barrier`` is here to be taken away by a planted bug: that a job ends with its last
    task is what Spark sees to.
    """

    barrier = True

    def __init__(self, history: History, faults: Faults, rng: random.Random, name: str) -> None:
        self.history, self.faults, self.rng = history, faults, rng
        self.wall_ms = 0
        self.store = SteppingStore(name, lambda: self.wall_ms)
        # The clock counts milliseconds, so times to live do.
        self.tables = tables(1000 * history.forget_ms if faults.expiry else 0)
        self.store.ensure_tables(self.tables)
        self.stream: list[announcements.Message] = []
        self.counts: Counter[tuple[Kind, Fault]] = Counter()
        self.trace: list[str] = []
        self.chosen = MODELS[0]
        self._settled = faults.two_queries
        self._filler: Task | None = None
        self._filler_pace = 1.0
        self._looked = 0
        self._views: dict[tuple[str, Log, str], View] = {}
        self._ranking: dict[tuple[str, str], greenlet.greenlet] = {}
        self._clock = 0.0
        self._zombies: list[Task] = []
        self._tasks: list[Task] = []
        self._graveyard: list[Task] = []
        self._skipped = faults.skip > rng.random()
        self._hub = greenlet.getcurrent()
        self.queries = self._running = self._queries()

    # -- running

    def run(self) -> None:
        """Take turns until all is read and every survivor has ended."""
        turns = 0
        while not self._finished():
            self.turn()
            turns += 1
            if turns > MOST_TURNS:
                raise AssertionError("the log is never read to its end")
        while self._zombies or self.store.belated:
            self._step_survivors(always=True)

    def turn(self) -> None:
        """Let whoever the dice name do a step."""
        self._clock += 0.01
        self._step_survivors()
        if not self.faults.two_queries:
            self._fill_step()
        query = self._whose_turn()
        if query.process is not None:
            self._step(query, query.process)
        elif not query.caught_up(self.history) or not self._settled:
            self._start(query)

    def _whose_turn(self) -> Query:
        """Choose a query: now and then one of two gets all turns while the other stalls."""
        if len(self.queries) > 1 and self.rng.random() < CHANGE_OF_PACE:
            self._running = self.rng.choice((self.queries, self.queries[:1], self.queries[1:]))
        return self.rng.choice(self._running)

    def _queries(self) -> list[Query]:
        parts = list(self.history.partitions)
        groups = [parts]
        if self.faults.two_queries:
            topics = sorted({topic for topic, _ in parts})
            groups = [[p for p in parts if p[0] == topic] for topic in topics]
        queries = [Query(group, dict.fromkeys(group, 0)) for group in groups]
        if self._skipped:
            for query in queries:
                query.done = {
                    p: self.rng.randrange(len(self.history.partitions[p]) + 1)
                    for p in query.partitions
                }
        return queries

    def _finished(self) -> bool:
        if not all(q.caught_up(self.history) and q.process is None for q in self.queries):
            return False
        if not self._settled:
            return False
        if self._skipped:
            self._skipped = False
            for query in self.queries:
                query.done = dict.fromkeys(query.partitions, 0)
                self._count(Fault.SKIP, self.history.log())
            self._settled = self.faults.two_queries
            return False
        return True

    def _start(self, query: Query) -> None:
        process = Process(self._task(lambda: self._drive(query, process)))
        query.process = process

    def replay(self, query: Query) -> None:
        """Let a query that is between two batches read part of the log again."""
        if query.planned is not None:
            return
        partition = self.rng.choice(query.partitions)
        begin = self.rng.randrange(query.done[partition] + 1)
        again = self.history.partitions[partition][begin : query.done[partition]]
        self._count(Fault.REPLAY, again)
        query.done[partition] = begin

    def _step(self, query: Query, process: Process) -> None:
        choices = [task for task in (process.driver, *process.tasks) if task.ready]
        if not choices:
            self._clock += 1
            return
        if self.rng.random() < self.faults.crash:
            self.crash(query, process)
            return
        if self.rng.random() < self.faults.takeover:
            self.take_over(query, process)
            return
        task = self.rng.choice(choices)
        task.step(self._order(query))
        if process.driver.done:
            self._ended(query, process)

    def _order(self, query: Query) -> Order:
        dice = self.rng.random()
        if dice < self.faults.lost_reply:
            self._count(Fault.LOST_REPLY, query.batch)
            return Order.LOSE_REPLY
        if dice < self.faults.lost_reply + self.faults.belated:
            self._count(Fault.BELATED, query.batch)
            return Order.DO_LATER
        return Order.GO

    def _ended(self, query: Query, process: Process) -> None:
        """The driver returned, or failed: what it left is gone or goes on alone."""
        query.process = None
        self._abandon(process.tasks)
        error = process.driver.error
        if error is not None:
            if not isinstance(error, StoreUnavailable | LeaseHeld | LeaseLost):
                raise error
            self._note(f"failed: {error}")
            self._count(Fault.REDELIVERY, query.batch)
            self._forget_plan(query)

    def crash(self, query: Query, process: Process) -> None:
        """Kill -9 of a driver; its tasks may outlive it."""
        self._note("crash")
        self._count(Fault.CRASH, query.batch)
        self._graveyard.append(process.driver)
        self._abandon(process.tasks)
        query.process = None
        self._forget_plan(query)

    def _forget_plan(self, query: Query) -> None:
        """With its checkpoint a query redoes the same batch, without it cuts another one."""
        if query.planned is not None and self.rng.random() < 0.3:
            query.planned = None

    def take_over(self, query: Query, process: Process) -> None:
        """A driver stalls for so long that another one takes the index; then it goes on."""
        self._note("takeover")
        self._count(Fault.TAKEOVER, query.batch)
        self._zombies += [process.driver, *process.tasks]
        query.process = None
        if self.rng.random() < 0.5:
            query.planned = None

    def _abandon(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            if task.done:
                continue
            if self.rng.random() < self.faults.zombie:
                self._zombies.append(task)
            else:
                self._graveyard.append(task)

    def _step_survivors(self, *, always: bool = False) -> None:
        """Let tasks that nobody waits for go on, and late changes arrive."""
        while self._zombies and (always or self.rng.random() < 0.15):
            task = self.rng.choice(self._zombies)
            if task.done:
                self._zombies.remove(task)
            elif task.ready:
                task.step()
                for query in self.queries:
                    self._count(Fault.ZOMBIE, query.batch)
            elif always:
                self._zombies.remove(task)
                self._graveyard.append(task)
            else:
                break
        while self.store.belated and (always or self.rng.random() < 0.1):
            change = self.rng.choice(self.store.belated)
            self.store.belated.remove(change)
            change.apply()

    # -- what a driver does

    def _drive(self, query: Query, process: Process) -> None:
        """Work on batches until the log is read; runs as a task."""
        holding: Lease | None = None
        if not self.faults.two_queries:
            holding = Lease(self.store, LEASE_SECONDS, clock=lambda: self._clock, sleep=self._sleep)
            holding.acquire()
        while not query.caught_up(self.history):
            if holding:
                holding.beat()
            if query.process is not process:
                return
            if self.rng.random() < self.faults.replay:
                self.replay(query)
            if self.rng.random() < self.faults.activation:
                self.chosen = self.rng.choice(MODELS)
                self._count(Fault.ACTIVATION, self.history.log())
            ends = query.planned = query.planned or self._cut(query)
            query.batch = batch = [
                event
                for p in query.partitions
                for event in self.history.partitions[p][query.done[p] : ends[p]]
            ]
            if batch:
                self._pass_time(batch)
                self._micro_batch(process, batch, holding.owner if holding else None)
            if query.process is not process:
                return  # a survivor of a takeover: its checkpoint is another one's now
            query.done, query.planned = ends, None
        if holding:
            self._settle(process, query, holding)
            holding.release()

    def _settle(self, process: Process, query: Query, holding: Lease) -> None:
        """Rank what is left to rank, until readers follow the chosen model."""
        query.batch = []
        while query.process is process:
            holding.beat()
            known = self._take_up(holding.owner)
            waiting = behind(known, process.ranked)
            if waiting:
                token = ownership.next_token(self.store)
                self._rank_all(process, known, token, None, set(), holding.owner)
            elif known.followed == self.chosen and all(log.filled for log in known.logs.values()):
                self._settled = True
                return
            pause()

    def _fill_step(self) -> None:
        """Let a program that fills the log of a model work, or start one, or kill it."""
        if self._filler is None or self._filler.done:
            if self._filler is not None and self._filler.error is not None:
                assert isinstance(self._filler.error, StoreUnavailable), self._filler.error
            self._filler = None
            self._looked += 1
            if self._looked % TURNS_BETWEEN_LOOKS:
                return
            known = models.read(self.store)
            empty = [(name, log) for name, log in known.logs.items() if not log.filled]
            if empty:
                name, log = self.rng.choice(empty)
                self._filler = self._task(partial(self._fill, name, log.since))
                self._filler_pace = self.rng.choice(FILLER_PACES)
        elif self.rng.random() < self.faults.crash:
            self._graveyard.append(self._filler)
            self._filler = None
        elif self.rng.random() < self._filler_pace:
            self._filler.step()

    def _fill(self, model: str, since: bytes) -> None:
        similar.drop_lists(self.store, model)
        for name, row in list(articles.scan(self.store)):
            position = row.current_position
            if row.current is None or position is None or row.verdict is None:
                continue
            story = orjson.loads(row.verdict or b"{}").get("duplicate_of")
            text = {position: self._described(name, position, model)}
            rows = log_rows(
                name, row, story, text, model, self.history.rankings[model], since
            ).values()
            self.store.mutate(similar.LOG, rows)
        models.fill(self.store, model, since)

    def _described(self, name: str, position: bytes, model: str) -> bytes:
        """Look it up only now: a newsroom goes on publishing while a log is filled."""
        return next(
            event.described[model]
            for event in self.history.log()
            if isinstance(event, LoggedContent)
            and (event.article, event.position) == (name, position)
            and event.described
        )

    def _pass_time(self, batch: list[Logged]) -> None:
        """Note a batch, and let the tables forget what is due by its time."""
        self._count(Fault.CUT, batch)
        self.wall_ms = max([self.wall_ms, *(timestamp_ms(e.position) for e in batch)])
        if self.faults.expiry and self.rng.random() < 0.9 and self.store.expire(self.tables):
            self._count(Fault.EXPIRY, batch)
        if len(self.queries) > 1 and all(q.process for q in self.queries):
            self._count(Fault.OVERLAP, batch)

    def _cut(self, query: Query) -> dict[Partition, int]:
        """Choose the offsets at which the next batch ends."""
        ends = dict(query.done)
        if not self.faults.expiry:
            for p in query.partitions:
                more = self.rng.choice((0, 0, 1, 1, 2, 4))
                ends[p] = min(len(self.history.partitions[p]), ends[p] + more)
            return ends
        # No partition may lag behind: side by side, in the order of time.
        for _ in range(self.rng.choice((1, 1, 2, 4))):
            waiting = [p for p in query.partitions if ends[p] < len(self.history.partitions[p])]
            if waiting:
                ends[min(waiting, key=lambda p: self.history.partitions[p][ends[p]].position)] += 1
        return ends

    def _micro_batch(self, process: Process, batch: list[Logged], owner: str | None) -> None:
        store, rules = self.store, self.history.rules
        known = self._take_up(owner)
        rankings = {name: self.history.rankings[name] for name in known.logs}

        def checked(work: Callable[[], Any]) -> Callable[[], Any]:
            def run() -> Any:
                if owner is not None:
                    lease.check(store, owner)
                return work()

            return run

        def put_all() -> None:
            alone = owner is not None
            work = [partial(put, store, rules, c, alone=alone) for c in self._chunks(batch)]
            self._run_tasks(process, batch, [checked(each) for each in work])

        def judge_all(token: bytes, mark: bytes | None) -> list[tuple[list[Judged], set[int]]]:
            def job(chunk: list[Logged]) -> tuple[list[Judged], set[int], set[tuple[str, str]]]:
                alone = owner is not None
                events = by_article(chunk)
                judged = judge(store, rules, events, token, mark, alone=alone)
                scopes = describe(store, rankings, judged, events, token)
                return judged, statistics.record(store, judged, token), scopes

            work = [checked(partial(job, chunk)) for chunk in self._chunks(batch)]
            ended = self._run_tasks(process, batch, work)
            touched = set().union(*(each[2] for each in ended))
            if owner is not None:
                self._rank_all(process, known, token, mark, touched, owner)
            return [(judged, minutes) for judged, minutes, _ in ended]

        def send(messages: Iterable[announcements.Message]) -> None:
            for message in messages:
                pause()
                self.stream.append(message)

        self._note("batch " + ", ".join(f"{e.article}@{timestamp_ms(e.position)}" for e in batch))
        done = attempt(store, max(e.position for e in batch), put_all, judge_all)
        touched = {m for _, minutes in done.judged for m in minutes}
        statistics.roll_up(store, touched)
        summaries.summarise(store, touched, GRAINS)
        everyone = [item for judged, _ in done.judged for item in judged]
        due = [a for item in everyone if (a := announcements.due(item, done.token))]
        announcements.deliver(store, done.token, due, send, owner)

    def _take_up(self, owner: str | None) -> Models:
        """Give the models in force: what is like what is ranked by whoever owns the index."""
        if owner is None:
            return Models(None, {})
        return take_up(self.store, self.chosen, lambda _: True)

    def _rank_all(
        self,
        process: Process,
        known: Models,
        token: bytes,
        mark: bytes | None,
        touched: set[tuple[str, str]],
        owner: str,
    ) -> None:
        """The job that ranks scopes, as the query runs it."""

        def job(model: str, scope: str) -> Ranked:
            lease.check(self.store, owner)
            backlog = 2 if model in waiting else 0
            return self._rank(model, known.logs[model], scope, token, mark, backlog)

        waiting = behind(known, process.ranked)
        scopes = scopes_to_rank(self.store, known, touched, waiting)
        ended = self._run_tasks(process, [], [partial(job, *each) for each in scopes])
        left = {model for (model, _), each in zip(scopes, ended, strict=True) if each.waiting}
        for name in waiting:
            if name not in left:
                process.ranked.add(known.logs[name].since)
                finished(self.store, self.chosen, name)

    def _rank(
        self, model: str, log: Log, scope: str, token: bytes, mark: bytes | None, backlog: int
    ) -> Ranked:
        """Rank a scope, on the host that did so before or on another one."""
        ranking, me = self.history.rankings[model], greenlet.getcurrent()
        if not self.faults.takeover:
            # On one host a view is locked; its lock goes with the process that held it.
            pause(lambda: self._is_free(model, scope))
            self._ranking[model, scope] = me
        place = (model, log, scope)
        view = self._views.pop(place, None) if self.rng.random() < 0.7 else None
        view = view or View(ranking)
        ranked = rank(
            self.store,
            view,
            ranking,
            model,
            scope,
            token,
            mark,
            since=log.since,
            backlog=backlog,
        )
        self._views[place] = view
        self._ranking.pop((model, scope), None)
        return ranked

    def _is_free(self, model: str, scope: str) -> bool:
        holder = self._ranking.get((model, scope))
        dead = [task for task in self._graveyard if task.is_run_by(holder)]
        return holder is None or holder.dead or bool(dead)

    def _chunks(self, batch: Sequence[Logged]) -> list[list[Logged]]:
        """Spread the articles of a batch over tasks."""
        count = self.rng.randint(1, 3)
        task_of = {name: self.rng.randrange(count) for name in sorted({e.article for e in batch})}
        chunks = [[e for e in batch if task_of[e.article] == n] for n in range(count)]
        if count > 1:
            self._count(Fault.ORDER, batch)
        return [chunk for chunk in chunks if chunk]

    def _run_tasks(
        self, process: Process, batch: list[Logged], work: Sequence[Callable[[], Any]]
    ) -> list[Any]:
        """Run a Spark job: every task, some twice; the first copy that ends counts."""
        copies: list[list[Task]] = []
        for each in work:
            mine = [self._task(each)]
            if self.rng.random() < self.faults.speculation:
                self._count(Fault.SPECULATION, batch)
                mine.append(self._task(each))
            copies.append(mine)
        process.tasks = [task for mine in copies for task in mine]
        if all(query.process is not process for query in self.queries):
            self._zombies += process.tasks

        enough = all if self.barrier else any

        def over() -> bool:
            return any(task.error for mine in copies for task in mine) or enough(
                any(task.done for task in mine) for mine in copies
            )

        pause(over)
        self._abandon(process.tasks)
        process.tasks = []
        for mine in copies:
            for task in mine:
                if task.error:
                    raise task.error
        ended = ([task.result for task in mine if task.done] for mine in copies)
        return [results[0] for results in ended if results]

    def _sleep(self, seconds: float) -> None:
        until = self._clock + seconds
        pause(lambda: self._clock >= until)

    def forget(self) -> None:
        """Let go of the tables, which a store in memory keeps for its process, and of tasks."""
        for task in self._tasks:
            task.end()
        self.store.drop_tables(self.tables)

    def _task(self, work: Callable[[], Any]) -> Task:
        task = Task(work, self._hub)
        self._tasks.append(task)
        return task

    # -- what must hold

    def differences(self) -> list[str]:
        """Everything in which the tables or the stream are not what the log says."""
        judged = reference(self.history.became(), self.history.rules)
        expected = exporting.expected_verdicts(judged)
        exported = {line["article_id"]: line for line in exporting.verdicts(self.store)}
        if self.faults.expiry:
            self._leave_out_what_is_forgotten(exported, expected)
        found = [
            f"{name}: {exported.get(name)} instead of {expected.get(name)}"
            for name in sorted(exported.keys() | expected.keys())
            if exported.get(name) != expected.get(name)
        ]
        found += self._miscounted(judged)
        found += self._missummed(judged)
        if not self.faults.two_queries and not self.faults.expiry:
            found += self._mislisted(judged)
        if not self.faults.two_queries and not self.faults.expiry:
            # Without a lease the stream promises nothing; a forgotten article is not told again.
            found += self._misannounced(expected)
        return found

    def _leave_out_what_is_forgotten(
        self, exported: dict[str, Any], expected: dict[str, Any]
    ) -> None:
        """Old articles may be gone, and with them the ends of chains; what is there is right."""
        kept = self.history.forget_ms - self.history.rules.window_ms
        for name in list(expected):
            moment = datetime.fromisoformat(expected[name]["first_seen"].partition("/")[0])
            if name not in exported and moment.timestamp() * 1000 < self.wall_ms - kept:
                del expected[name]
        for line in (*exported.values(), *expected.values()):
            line["root"] = None

    def _mislisted(self, judged: Mapping[str, Expected]) -> list[str]:
        known = models.read(self.store)
        if known.followed is None:
            return []
        model = known.followed
        ranking = self.history.rankings[model]
        wanted = reference_lists(judged, self.history.described(model), ranking)
        found: dict[str, tuple[tuple[str, int], ...]] = {}
        for scope in similar.scopes(self.store, model):
            view = View(ranking)
            since = known.logs[model].since
            catch_up(self.store, view, model, scope, since)
            found |= view.lists(view.articles(), {})
        differ = [
            f"list of {name}: {found.get(name)} instead of {wanted.get(name)}"
            for name in sorted(found.keys() | wanted.keys())
            if found.get(name, ()) != wanted.get(name, ())
        ]
        if self.faults.takeover:
            return differ  # A task that outlives its query may write a list that is outdated.
        names = sorted({*wanted, *(e.article for e in self.history.log())})
        served = similar.read_lists(self.store, model, names)
        differ += [
            f"served list of {name}: {served[name]} instead of {wanted.get(name)}"
            for name in names
            if served[name] != dict(wanted.get(name, ()))
        ]
        return differ

    def _miscounted(self, judged: Mapping[str, Expected]) -> list[str]:
        counted = {tuple(line.items()) for line in exporting.counts(self.store)}
        missed = counted ^ {
            tuple(each.items()) for each in exporting.expected_counts(judged.values())
        }
        return [f"counted wrongly: {sorted(missed, key=str)}"] if missed else []

    def _missummed(self, judged: Mapping[str, Expected]) -> list[str]:
        wrong = []
        for grain in GRAINS:
            wanted: dict[int, Sums] = defaultdict(Sums)
            for each in judged.values():
                begin = grain.begin(timestamp_ms(each.first))
                wanted[begin].count(statistics.Outcome.of(each.content, each.verdict), 1)
            found = {
                begin: sums
                for begin, sums in summaries.read(self.store, grain, 0, 1 << 60)
                if sums != Sums()
            }
            wrong += [
                f"summed up wrongly: {found.get(begin)} instead of {wanted.get(begin)}"
                for begin in sorted(found.keys() | wanted.keys())
                if found.get(begin) != wanted.get(begin)
            ]
        return wrong

    def _misannounced(self, expected: dict[str, Any]) -> list[str]:
        latest: dict[bytes, tuple[int, dict[str, Any] | None]] = {}
        for message in self.stream:
            value = orjson.loads(message.value) if message.value else None
            number = (
                value["attempt"]
                if value
                else int(dict(message.headers)[announcements.ATTEMPT_HEADER])
            )
            if message.key is not None and number >= latest.get(message.key, (0, None))[0]:
                latest[message.key] = (number, value)
        told = {
            key.decode(): {
                name: field
                for name, field in value.items()
                if name not in ("revision", "attempt", "previous", "root")
            }
            for key, (_, value) in latest.items()
            if value
        }
        wanted = {
            name: {field: value for field, value in line.items() if field != "root"}
            for name, line in expected.items()
        }
        return [
            f"announced of {name}: {told.get(name)} instead of {wanted.get(name)}"
            for name in sorted(told.keys() | wanted.keys())
            if told.get(name) != wanted.get(name)
        ]

    def _count(self, fault: Fault, events: Sequence[Logged]) -> None:
        for kind in {kind for e in events for kind in self.history.kinds[e.position]}:
            self.counts[kind, fault] += 1

    def _note(self, line: str) -> None:
        self.trace.append(line)
