import socket
from pathlib import Path

import pytest

from streaming.stack.ports import free_ports, listening, taken
from streaming.stack.settings import InnerPorts, Options, Ports, StackError, StackSettings
from streaming.stack.stack import LocalStack


def test_a_port_somebody_listens_on_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert taken(port)
        assert listening(port)
    assert not taken(port)
    assert not listening(port)


def test_free_ports_differ_and_are_free() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert not any(taken(port) for port in ports)


def test_free_ports_may_have_free_successors_of_their_own() -> None:
    ports = free_ports(20, successors=2)
    blocks = [port + offset for port in ports for offset in range(3)]
    assert len(set(blocks)) == 60
    assert not any(taken(port) for port in blocks)


def test_a_port_whose_successor_is_not_free_is_not_given() -> None:
    odd = range(20_001, 32_001, 2)
    with pytest.raises(OSError, match="no 1 free ports"):
        free_ports(1, avoid=odd, successors=1)
    assert free_ports(1, avoid=odd)[0] % 2 == 0


def test_a_stack_has_room_for_the_admin_port() -> None:
    for _ in range(10):
        ports = LocalStack.free_ports()
        assert ports.admin == ports.thrift + 1
        assert len(ports.all()) == 4
        assert not any(taken(port) for port in ports.all())


def test_free_ports_avoid_what_they_are_told() -> None:
    with pytest.raises(OSError, match="no 1 free ports"):
        free_ports(1, avoid=range(20_000, 32_000))


def test_inner_ports_are_chosen_once() -> None:
    chosen = InnerPorts().chosen((), Ports())
    assert len({chosen.controller, chosen.master, chosen.regionserver}) == 3
    assert 0 not in {chosen.controller, chosen.master, chosen.regionserver}
    assert chosen.chosen((), Ports()) == chosen


def test_a_taken_inner_port_is_replaced_unless_its_server_runs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        inner = InnerPorts(controller=server.getsockname()[1]).chosen({"controller"}, Ports())
        assert inner.controller == server.getsockname()[1]
        assert inner.chosen({"controller"}, Ports()) == inner
        moved = inner.chosen((), Ports())
        assert moved.controller != inner.controller
        assert (moved.master, moved.regionserver) == (inner.master, inner.regionserver)


def test_inner_ports_leave_the_clients_ports_alone() -> None:
    free = LocalStack.free_ports()
    inner = InnerPorts(master=free.admin, regionserver=free.kafka).chosen((), free)
    assert not {inner.controller, inner.master, inner.regionserver} & free.all()


def test_settings_come_back(tmp_path: Path) -> None:
    settings = StackSettings(
        Ports(1, 2, 3),
        InnerPorts(4, 5, 6),
        Options(thrift_framed=True, thrift_idle_seconds=2.5, java_options=("-ea",)),
    )
    assert StackSettings.load(tmp_path) == StackSettings()
    settings.save(tmp_path)
    assert StackSettings.load(tmp_path) == settings
    stack = LocalStack(tmp_path)
    assert (stack.ports, stack.options) == (settings.ports, settings.options)
    assert (stack.kafka, stack.hbase) == ("127.0.0.1:1", "127.0.0.1:2")
    assert stack.admin == "127.0.0.1:3"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"ports": {"kafka": 1, "moon": 2}}'])
def test_settings_that_are_none_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "stack.json").write_text(text)
    with pytest.raises(StackError, match=r"stack\.json cannot be read.*remove it"):
        StackSettings.load(tmp_path)


def test_only_what_runs_keeps_its_settings() -> None:
    before = StackSettings(Ports(1, 2, 3))
    after = StackSettings(Ports(9, 2, 8), options=Options(thrift_heap="1m"))
    assert before.moved(before, {"kafka", "hbase", "thrift", "admin"}) == []
    assert before.moved(after, ()) == []
    assert before.moved(after, {"kafka"}) == ["kafka is 1, not 9"]
    assert before.moved(after, {"hbase"}) == ["zookeeper is 3, not 8"]
    assert before.moved(after, {"thrift"}) == [
        "zookeeper is 3, not 8",
        "thrift_heap is 512m, not 1m",
    ]
    assert before.moved(after, {"admin"}) == ["zookeeper is 3, not 8"]
    assert before.moved(StackSettings(Ports(1, 4, 3)), {"admin"}) == ["thrift is 2, not 4"]
    idle = StackSettings(Ports(1, 2, 3), options=Options(thrift_idle_seconds=1.0))
    assert before.moved(idle, {"admin"}) == ["thrift_idle_seconds is 60.0, not 1.0"]
