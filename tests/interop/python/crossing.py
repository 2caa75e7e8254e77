"""The Python side of the crossings: the same worker and the same client in every language, so that
each of them can meet each of the others. cpp/crossing.cc says what words it takes.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import signal
import sys
from typing import Any

from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.exceptions import ApplicationError, ChildWorkflowError
from temporalio.worker import Worker

LANGUAGE = "Python"
KEYWORD = SearchAttributeKey.for_keyword("CrossKeyword")
INT = SearchAttributeKey.for_int("CrossInt")
LIST = SearchAttributeKey.for_keyword_list("CrossList")

Parcel = dict[str, Any]


def attributes_of(found: TypedSearchAttributes) -> dict[str, Any]:
    return {
        "keyword": found.get(KEYWORD, ""),
        "int": found.get(INT, 0),
        "list": list(found.get(LIST, [])),
    }


def attributes_from(who: str) -> TypedSearchAttributes:
    pairs = [SearchAttributePair(KEYWORD, who), SearchAttributePair(INT, 1)]
    return TypedSearchAttributes([*pairs, SearchAttributePair(LIST, ["a", "b"])])


def chain_of(error: BaseException | None) -> list[dict[str, Any]]:
    """The application errors of a chain, the outermost first."""
    chain = []
    while error is not None:
        if isinstance(error, ApplicationError):
            found = {"message": error.message, "type": error.type}
            found |= {"non_retryable": error.non_retryable, "details": list(error.details)}
            chain.append(found)
        error = error.__cause__
    return chain


@workflow.defn(name="crossing")
class Crossing:
    """Takes parcels until it is told to finish."""

    @workflow.init
    def __init__(self, first: Parcel, blob: bytes) -> None:
        self._parcels = [first]
        self._blob = blob
        self._finished = False

    @workflow.run
    async def run(self, first: Parcel, blob: bytes) -> dict[str, Any]:
        seen = attributes_of(workflow.info().typed_search_attributes)
        workflow.upsert_search_attributes([INT.value_set(seen["int"] + 1)])
        await workflow.wait_condition(lambda: self._finished)
        return {"parcels": self._parcels, "seen": seen}

    @workflow.signal
    def put(self, parcel: Parcel) -> None:
        self._parcels.append(parcel)

    @workflow.signal
    def finish(self) -> None:
        self._finished = True

    @workflow.query
    def parcels(self) -> list[Parcel]:
        return self._parcels

    @workflow.query
    def blob(self) -> bytes:
        return self._blob

    @workflow.update
    def stamp(self, parcel: Parcel) -> Parcel:
        return parcel | {"text": f"{parcel['text']} stamped by {LANGUAGE}"}

    @stamp.validator
    def check(self, parcel: Parcel) -> None:
        if parcel["number"] < 0:
            raise ApplicationError("no number below zero")


@workflow.defn(name="crossing_fails")
class CrossingFails:
    @workflow.run
    async def run(self, parcel: Parcel) -> None:
        inner = ApplicationError(f"inner from {LANGUAGE}", type="InnerError")
        outer = f"outer from {LANGUAGE}"
        raise ApplicationError(outer, parcel, type="OuterError", non_retryable=True) from inner


@workflow.defn(name="cross_from")
class CrossFrom:
    """Does as a workflow what `call` does as a client."""

    @workflow.run
    async def run(self, task_queue: str, id: str, parcel: Parcel, blob: bytes) -> dict[str, Any]:
        child = await workflow.start_child_workflow(
            "crossing",
            args=[parcel, blob],
            id=id,
            task_queue=task_queue,
            search_attributes=attributes_from(f"a child of {LANGUAGE}"),
        )
        await child.signal("put", parcel)
        await child.signal("finish")
        result = await child
        failure: list[dict[str, Any]] = []
        try:
            await workflow.execute_child_workflow("crossing_fails", parcel, task_queue=task_queue)
        except ChildWorkflowError as error:
            failure = chain_of(error)
        return {"result": result, "failure": failure}


async def serve(client: Client, arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    workflows = [Crossing, CrossingFails, CrossFrom]
    async with Worker(client, task_queue=arguments.task_queue, workflows=workflows):
        print("ready", flush=True)
        await stop.wait()


async def call(client: Client, arguments: argparse.Namespace) -> dict[str, Any]:
    parcel, blob = json.loads(arguments.parcel), bytes(range(256))
    queue, id = arguments.task_queue, arguments.id
    handle = await client.start_workflow(
        "crossing",
        args=[parcel, blob],
        id=id,
        task_queue=queue,
        search_attributes=attributes_from(f"from {LANGUAGE}"),
    )
    seen = await talk(handle, parcel)
    try:
        await client.execute_workflow("crossing_fails", parcel, id=f"{id}-fails", task_queue=queue)
    except WorkflowFailureError as error:
        seen["failure"] = chain_of(error)
    seen["from_workflow"] = await client.execute_workflow(
        "cross_from",
        args=[queue, f"{id}-child", parcel, blob],
        id=f"{id}-from",
        task_queue=arguments.own_queue,
    )
    return seen


async def talk(handle: WorkflowHandle, parcel: Parcel) -> dict[str, Any]:
    """Does with a workflow that runs all that a client can do, and lets it finish."""
    await handle.signal("put", parcel)
    seen = {
        "parcels": await handle.query("parcels"),
        "blob": list(await handle.query("blob", result_type=bytes)),
        "stamped": await handle.execute_update("stamp", parcel),
        "rejection": "",
    }
    try:
        await handle.execute_update("stamp", parcel | {"number": -1})
    except WorkflowUpdateFailedError as error:
        seen["rejection"] = chain_of(error)[-1]["message"]
    seen["attributes"] = attributes_of((await handle.describe()).typed_search_attributes)
    await handle.signal("finish")
    seen["result"] = await handle.result()
    return seen


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["worker", "call"])
    for name in ("address", "task-queue", "own-queue", "id", "parcel"):
        parser.add_argument(f"--{name}")
    arguments = parser.parse_args()
    # Messages of failures travel as payloads, as where everything is encrypted.
    converter = dataclasses.replace(
        DataConverter.default,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
    client = await Client.connect(arguments.address, data_converter=converter)
    if arguments.command == "worker":
        await serve(client, arguments)
    else:
        json.dump(await call(client, arguments), sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
    # Threads of the SDK may call into an interpreter that is ending, which ends the process with an error.
    sys.stdout.flush()
    os._exit(0)
